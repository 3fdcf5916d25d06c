import type { Ledger, LedgerEntry } from '@huitouke/api';

/** The groups of the ledger in the order in which a shop meets them. */
export const GROUPS = ['company', 'reach', 'wecom', 'more'] as const;
export type Group = (typeof GROUPS)[number];

export const STATES = ['todo', 'waiting', 'done', 'not_needed'] as const;

export const STATE_TONES = { todo: 'neutral', handed: 'info', waiting: 'warning', done: 'success', not_needed: 'neutral' } as const;
export const FEATURE_TONES = { usable: 'success', waits: 'warning', off: 'neutral' } as const;

/** What somebody can say of an entry; that it is handed over comes from a link and can only be kept. */
export function choices(entry: LedgerEntry): LedgerEntry['state'][] {
  return entry.state === 'handed' ? ['handed', ...STATES] : [...STATES];
}

/** The titles of entries, in the ledger's order. */
export function titles(ledger: Ledger, names: readonly string[]): string[] {
  return ledger.items.filter((item) => names.includes(item.name)).map((item) => item.title);
}

/** The groups that hold something, each with its entries. */
export function grouped(ledger: Ledger): { group: Group; items: LedgerEntry[] }[] {
  return GROUPS.map((group) => ({ group, items: ledger.items.filter((item) => item.group === group) })).filter((one) => one.items.length > 0);
}

/** How many entries are settled, of how many that are needed. */
export function progress(ledger: Ledger): { done: number; all: number } {
  const needed = ledger.items.filter((item) => item.state !== 'not_needed');
  return { done: needed.filter((item) => item.state === 'done').length, all: needed.length };
}

/** A day of the calendar as a moment of it, for the formatters. */
export function noonOf(day: string): string {
  return `${day}T12:00:00+08:00`;
}
