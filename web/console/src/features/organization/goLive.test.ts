import type { Ledger, LedgerEntry } from '@huitouke/api';
import { describe, expect, it } from 'vitest';
import { choices, grouped, progress, titles } from './goLive';

const entry = (name: string, group: LedgerEntry['group'], state: LedgerEntry['state'] = 'todo'): LedgerEntry =>
  ({ name, group, state, title: name.toUpperCase() }) as LedgerEntry;
const ledger = { items: [entry('licence', 'company', 'done'), entry('server', 'reach'), entry('archive', 'more', 'not_needed')] } as Ledger;

describe('the ledger', () => {
  it('leaves out groups without entries and keeps the order of the way', () => {
    expect(grouped(ledger).map((one) => [one.group, one.items.length])).toEqual([
      ['company', 1],
      ['reach', 1],
      ['more', 1],
    ]);
  });

  it('counts what is done of what is needed', () => expect(progress(ledger)).toEqual({ done: 1, all: 2 }));

  it('names entries in its own order', () => expect(titles(ledger, ['server', 'licence'])).toEqual(['LICENCE', 'SERVER']));

  it('lets an entry stay in somebody’s hands, and nobody choose that it is', () => {
    expect(choices(entry('a', 'company', 'handed'))).toContain('handed');
    expect(choices(entry('a', 'company'))).not.toContain('handed');
  });
});
