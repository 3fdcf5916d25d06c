import type { AuditEntry } from '@huitouke/api';
import { useQuery } from '@tanstack/vue-query';
import { useI18n } from 'vue-i18n';
import { useSession } from '@/app/session/store';
import { useFormat } from '@/app/useFormat';
import { changesOf, type FactChange } from './auditChanges';
import { STAFF } from './permissions';
import { rolesQuery } from './queries';
import { useWorded } from './useWorded';

const MOMENT = /^\d{4}-\d{2}-\d{2}T[\d:.]+(?:Z|[+-]\d{2}:\d{2})$/;

type Facts = Record<string, unknown> | null;

export interface AuditWords {
  who: (entry: AuditEntry, names: ReadonlyMap<string, string>) => string;
  what: (entry: AuditEntry) => string;
  /** The thing by its name, when the facts hold one. */
  thing: (entry: AuditEntry) => string;
  fact: (name: string) => string;
  value: (name: string, value: unknown) => string;
  /** What is said in the title is not said again. */
  changes: (before: Facts, after: Facts, title: string) => FactChange[];
}

/** An entry of the log in words, for the page and for the file that is taken out. Made once for all rows: it looks at the roles. */
export function useAuditWords(): AuditWords {
  const { t } = useI18n();
  const worded = useWorded();
  const { fullTime } = useFormat();
  const roles = useQuery({ ...rolesQuery(), enabled: useSession().allowsAny(STAFF) });
  /** What people call these permissions; by their names where one may not look at the roles. */
  function labels(names: readonly unknown[]): string {
    const known = new Map(roles.data.value?.groups.flatMap((group) => group.permissions.map((one) => [one.name, one.label] as const)));
    return names.map((name) => known.get(String(name)) ?? String(name)).join(t('organization.audit.comma'));
  }
  return {
    who: (entry, names) => (entry.actor_id && names.get(entry.actor_id)) || worded(`organization.audit.actor.${entry.actor_kind}`, entry.actor_kind),
    what: (entry) => worded(`organization.audit.action.${entry.action}`, entry.action),
    thing: (entry) => {
      const name = entry.after?.name ?? entry.before?.name ?? entry.after?.question ?? entry.before?.question;
      return typeof name === 'string' ? name : '';
    },
    fact: (name) => worded(`organization.audit.fact.${name}`, name),
    value: (name, value) => {
      if (value === null || value === undefined || value === '' || (Array.isArray(value) && value.length === 0)) return t('organization.audit.empty');
      if (name === 'permissions' && Array.isArray(value)) return labels(value);
      if (typeof value === 'boolean') return t(value ? 'organization.audit.yes' : 'organization.audit.no');
      if (typeof value === 'string' && MOMENT.test(value)) return fullTime(value);
      const text = typeof value === 'object' ? (Array.isArray(value) ? value.join(t('organization.audit.comma')) : JSON.stringify(value)) : String(value);
      return worded(`organization.audit.value.${name}.${text}`, text);
    },
    changes: (before, after, title) => changesOf(before, after).filter((change) => change.after !== title),
  };
}
