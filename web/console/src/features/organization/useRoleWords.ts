import type { Role, Roles, Staff } from '@huitouke/api';
import { useI18n } from 'vue-i18n';

/** So many permissions are named in the sentence about an own role. */
const NAMED = 4;

/** How roles are called, and the sentence that says what each may do. */
export function useRoleWords() {
  const { t } = useI18n();
  const preset = (name: string): string => t(`organization.role.${name}`);
  const name = (role: Role): string => (role.preset ? preset(role.preset) : (role.name ?? ''));
  const ofPerson = (person: Staff): string => person.role_name ?? preset(person.role);

  function says(role: Role, groups: Roles['groups']): string {
    if (role.preset) return t(`organization.role.${role.preset}_hint`);
    const labels = groups.flatMap((group) => group.permissions).filter((one) => role.permissions.includes(one.name)).map((one) => one.label);
    if (!labels.length) return t('organization.roles.nothing');
    const named = labels.slice(0, NAMED).join(t('organization.audit.comma'));
    return labels.length > NAMED ? t('organization.roles.and_more', { named, n: labels.length }) : named;
  }

  return { name, ofPerson, says };
}
