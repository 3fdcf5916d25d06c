import type { PlanDraft, PlanList } from '@huitouke/api/operator';

const GIB = 1024 ** 3;

/** A plan as its form holds it: a limit is a text, an empty one is none; space is written in GB. */
export interface PlanForm {
  name: string;
  nameEn: string;
  features: string[];
  limits: Record<string, string>;
  trialDays: string;
  archived: boolean;
  roles: StartingRole[];
}

/** A role of its own with which a new shop begins, with the permissions of a preset. */
export type StartingRole = NonNullable<PlanDraft['roles']>[number];

export const PRESETS: readonly StartingRole['like'][] = ['manager', 'operator', 'agent', 'analyst', 'cashier'];

type Quotas = PlanList['quotas'];

const scaleOf = (quotas: Quotas, name: string): number => (quotas.find((one) => one.name === name)?.unit === 'bytes' ? GIB : 1);

export function formOf(plan: PlanDraft | null, quotas: Quotas): PlanForm {
  const limits = Object.fromEntries(
    quotas.map(({ name }) => {
      const limit = plan?.quotas?.[name];
      return [name, limit === undefined ? '' : String(limit / scaleOf(quotas, name))];
    }),
  );
  return {
    name: plan?.name ?? '',
    nameEn: plan?.name_en ?? '',
    features: [...(plan?.features ?? [])],
    limits,
    trialDays: plan?.trial_days ? String(plan.trial_days) : '',
    archived: plan?.archived ?? false,
    roles: (plan?.roles ?? []).map((role) => ({ ...role })),
  };
}

const AMOUNT = /^\d+(?:\.\d+)?$/;

/** The quotas whose limit is no number. */
export function wrongLimits(form: PlanForm): string[] {
  return Object.entries(form.limits)
    .filter(([, limit]) => String(limit).trim() !== '' && !AMOUNT.test(String(limit).trim()))
    .map(([name]) => name);
}

export function draftOf(form: PlanForm, quotas: Quotas): PlanDraft {
  const limited = Object.entries(form.limits).filter(([, limit]) => String(limit).trim() !== '');
  return {
    name: form.name.trim(),
    name_en: form.nameEn.trim(),
    features: form.features,
    quotas: Object.fromEntries(limited.map(([name, limit]) => [name, Math.round(Number(limit) * scaleOf(quotas, name))])),
    trial_days: form.trialDays ? Number(form.trialDays) : null,
    archived: form.archived,
    roles: form.roles.filter((role) => role.name.trim()).map((role) => ({ name: role.name.trim(), like: role.like })),
  };
}
