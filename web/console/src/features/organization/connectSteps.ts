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

/** WeCom's codes for a caller whose address the app does not trust; the check's sentence carries the code. */
const IP_CODES = /\b(60020|301042)\b/;

export function isTrustedIpProblem(check: Check): boolean {
  return check.state === 'failed' && IP_CODES.test(check.message);
}

/** The address that WeCom saw us come from, when a check names it: what has to be entered as 企业可信IP. */
export function addressToTrust(checks: readonly Check[]): string | null {
  const words = checks.find(isTrustedIpProblem)?.fix ?? '';
  return /\d{1,3}(?:\.\d{1,3}){3}|[0-9a-f]*:[0-9a-f:]+[0-9a-f]/i.exec(words)?.[0] ?? null;
}

/** Where each step stands. An untrusted address is a matter of the third step, although the first call meets it. */
export function stepStates({ hasApp, checks, accounts, arrived = false }: Progress): Record<Step, StepState> {
  const found = new Map(checks.map((check) => [check.name, check]));
  const untrusted = checks.some(isTrustedIpProblem);
  const of = (name: string): StepState => {
    const state = found.get(name)?.state;
    return state === 'ok' ? 'done' : state === 'failed' ? 'failed' : 'open';
  };
  if (!hasApp) return { credentials: 'open', callback: 'locked', rights: 'locked', account: 'locked', try: 'locked' };
  const called = arrived ? 'done' : of('callback');
  return {
    credentials: untrusted ? 'done' : of('credentials'),
    callback: called,
    rights: untrusted ? 'failed' : accounts > 0 && of('app') === 'done' ? 'done' : of('app') === 'failed' ? 'failed' : 'open',
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
