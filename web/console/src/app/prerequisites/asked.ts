import type { LedgerAsked } from '@huitouke/api';

/** What stands in the fields at first: values that may be shown; a secret's field begins empty. */
export function entered(asks: readonly LedgerAsked[]): Record<string, string> {
  return Object.fromEntries(asks.map((one) => [one.name, one.value ?? '']));
}
