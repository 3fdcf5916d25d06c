import type { Plan } from '@huitouke/api/operator';
import { useI18n } from 'vue-i18n';

/** A plan's name in the language of the page. */
export function useTitle(): (plan: Pick<Plan, 'name' | 'name_en'>) => string {
  const { locale } = useI18n();
  return (plan) => (locale.value === 'zh-CN' || !plan.name_en ? plan.name : plan.name_en);
}
