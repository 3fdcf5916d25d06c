import { api, unwrap } from '@huitouke/api';
import { useToasts } from '@huitouke/ui';
import { useMutation } from '@tanstack/vue-query';
import { useI18n } from 'vue-i18n';
import { csv, saveText } from '@/app/data/csv';
import { toastProblem } from '@/app/problem';
import { useFormat } from '@/app/useFormat';

/** Takes the list out as a table that can be taken in again. That somebody did, stands in the log. */
export function useRefusalExport() {
  const { t } = useI18n();
  const { fullTime, dayOf, now, number } = useFormat();
  const toasts = useToasts();
  return useMutation({
    mutationFn: () => unwrap(api.POST('/api/privacy/refusals/exports')),
    onSuccess: ({ items, more }) => {
      const head = ['phone', 'name', 'source', 'since', 'note'].map((name) => t(`customers.privacy.column.${name}`));
      const rows = items.map((one) => [
        one.phone ?? '',
        one.customer?.name ?? '',
        t(`customers.offers_source.${one.source}`, { name: one.by ?? '' }),
        fullTime(one.refused_at),
        one.note ?? '',
      ]);
      saveText(`${t('customers.offers_refused')} ${dayOf(now.value.toISOString())}.csv`, csv([head, ...rows]), 'text/csv;charset=utf-8');
      toasts.say(t(more ? 'customers.privacy.exported_newest' : 'customers.privacy.exported', { n: number(items.length) }));
    },
    onError: toastProblem,
  });
}
