import type { Check } from '@huitouke/api';

/** The five steps from nothing to a customer's first message, in their order. */
export const STEPS = ['credentials', 'callback', 'rights', 'account', 'try'] as const;
export type Step = (typeof STEPS)[number];
export type StepState = 'done' | 'failed' | 'open' | 'locked';

export interface Progress {
  hasApp: boolean;
  /** What WeCom said last about the app; empty when it was never asked. */
  checks: readonly Check[];
  /** 客服账号 that are connected through the app. */
  accounts: number;
  /** Whether a message of such an account has arrived already. */
  arrived?: boolean;
}

/** Where a failed check without a named mistake is cured. */
const CURED_AT: Record<string, Step> = { credentials: 'credentials', app: 'rights', address: 'callback', callback: 'callback' };

/** The step that cures what failed: an untrusted address is a matter of the third, although the first call meets it. */
function curedAt(check: Check): Step {
  return isStep(check.step) ? check.step : (CURED_AT[check.name] ?? 'credentials');
}

/** The address that WeCom saw us come from, when a check names it: what has to be entered as 企业可信IP. */
export function addressToTrust(checks: readonly Check[]): string | null {
  const values = checks.filter((check) => check.state === 'failed').flatMap((check) => check.values);
  return values.find((value) => value.name === 'ip')?.value ?? null;
}

/** Where each step stands. */
export function stepStates({ hasApp, checks, accounts, arrived = false }: Progress): Record<Step, StepState> {
  const found = new Map(checks.map((check) => [check.name, check]));
  const failed = new Set(checks.filter((check) => check.state === 'failed').map(curedAt));
  const of = (name: string): StepState => (found.get(name)?.state === 'ok' ? 'done' : 'open');
  if (!hasApp) return { credentials: 'open', callback: 'locked', rights: 'locked', account: 'locked', try: 'locked' };
  const called = arrived ? 'done' : failed.has('callback') ? 'failed' : of('callback');
  // Whose address WeCom refuses has been told apart from a wrong secret.
  const known = failed.has('rights') && found.get('credentials')?.state === 'failed';
  return {
    credentials: failed.has('credentials') ? 'failed' : known ? 'done' : of('credentials'),
    callback: called,
    rights: failed.has('rights') ? 'failed' : accounts > 0 && of('app') === 'done' ? 'done' : 'open',
    account: accounts > 0 ? 'done' : 'open',
    try: accounts === 0 ? 'locked' : called === 'done' ? 'done' : 'open',
  };
}

/** Where to go on: the first step that needs something, else the last. */
export function nextStep(states: Record<Step, StepState>): Step {
  return STEPS.find((step) => states[step] === 'failed') ?? STEPS.find((step) => states[step] === 'open') ?? 'try';
}

export function isStep(value: unknown): value is Step {
  return STEPS.includes(value as Step);
}
