import { expect, it } from 'vitest';
import { draftOf, formOf, wrongLimits } from './planForm';

const quotas = [
  { name: 'seats', label: 'Seats', unit: 'count' as const },
  { name: 'storage', label: 'Space', unit: 'bytes' as const },
];
const plan = { name: '基础', name_en: 'Basic', features: ['assistant'], quotas: { storage: 2 * 1024 ** 3 }, trial_days: 14, archived: false, roles: [{ name: '前台', like: 'agent' as const }] };

it('space is written in GB, and no limit is an empty field', () => {
  expect(formOf(plan, quotas).limits).toEqual({ seats: '', storage: '2' });
});

it('what was shown is what is saved', () => {
  expect(draftOf(formOf(plan, quotas), quotas)).toEqual(plan);
});

it('half a GB can be given', () => {
  const form = formOf(plan, quotas);
  form.limits.storage = '0.5';
  expect(draftOf(form, quotas).quotas).toEqual({ storage: 512 * 1024 ** 2 });
});

it('a role without a name is none', () => {
  const form = formOf(plan, quotas);
  form.roles.push({ name: ' ', like: 'cashier' });
  expect(draftOf(form, quotas).roles).toEqual(plan.roles);
});

it('words and negative numbers are no limits', () => {
  const form = formOf(plan, quotas);
  form.limits = { seats: '-1', storage: 'much' };
  expect(wrongLimits(form)).toEqual(['seats', 'storage']);
});
