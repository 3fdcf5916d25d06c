import type { AuditEntry } from '@huitouke/api';
import { useToasts } from '@huitouke/ui';
import { useMutation } from '@tanstack/vue-query';
import type { ComputedRef } from 'vue';
import { useI18n } from 'vue-i18n';
import { csv, saveText } from '@/app/data/csv';
import { toastProblem } from '@/app/problem';
import { useFormat } from '@/app/useFormat';
import { exportAudit, type AuditFilter } from './queries';
import type { AuditWords } from './useAuditWords';

/** Takes what the filter shows out as a table, in the words of the page. */
export function useAuditExport(filter: ComputedRef<AuditFilter>, names: ComputedRef<ReadonlyMap<string, string>>, words: AuditWords) {
  const { t } = useI18n();
  const { fullTime, dayOf, now, number } = useFormat();
  const toasts = useToasts();

  function row(entry: AuditEntry): string[] {
    const changes = words.changes(entry.before ?? null, entry.after ?? null, '').map(({ name, before, after }) => {
      const was = before === undefined ? '' : `${words.value(name, before)} → `;
      return `${words.fact(name)}: ${was}${words.value(name, after)}`;
    });
    return [fullTime(entry.occurred_at), words.who(entry, names.value), words.what(entry), words.thing(entry), changes.join('\n'), entry.address ?? ''];
  }

  return useMutation({
    mutationFn: () => exportAudit(filter.value),
    onSuccess: ({ items, more }) => {
      const head = ['time', 'who', 'what', 'thing', 'changes', 'address'].map((name) => t(`organization.audit.column.${name}`));
      saveText(`${t('organization.audit.title')} ${dayOf(now.value.toISOString())}.csv`, csv([head, ...items.map(row)]), 'text/csv;charset=utf-8');
      toasts.say(t(more ? 'organization.audit.exported_newest' : 'organization.audit.exported', { n: number(items.length) }));
    },
    onError: toastProblem,
  });
}
