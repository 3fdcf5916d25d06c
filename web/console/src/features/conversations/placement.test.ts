import type { ConversationRow, ConversationView } from '@huitouke/api';
import { describe, expect, it } from 'vitest';
import type { Paged } from '@/app/data/paged';
import { aRow } from './fixtures';
import { compare, fits, place } from './placement';
import type { InboxFilter } from './queries';

const ME = 'me';
const filter = (change: Partial<InboxFilter> = {}): InboxFilter => ({ view: 'all', account: null, q: '', sort: 'newest', ...change });

/** What a server with these rows answers to the first pages of a list. */
function fetched(rows: readonly ConversationRow[], wanted: InboxFilter, size: number, pages: number): Paged<ConversationRow> {
  const all = rows
    .filter((row) => fits(row, wanted.view, ME) && (!wanted.account || row.channel_account.id === wanted.account))
    .sort((one, other) => compare(one, other, wanted.sort));
  const cut = Array.from({ length: pages }, (_, index) => all.slice(index * size, (index + 1) * size));
  const full = cut.filter((items, index) => index === 0 || items.length);
  return {
    pages: full.map((items, index) => ({ items, next_cursor: (index + 1) * size < all.length ? `after ${(index + 1) * size}` : null })),
    pageParams: full.map(() => null),
  };
}
const ids = (list: Paged<ConversationRow>): string[] => list.pages.flatMap((page) => page.items.map((row) => row.id));

describe('a changed conversation', () => {
  const rows = ['06:00', '05:00', '04:00'].map((time, index) => aRow({ id: `c${index}`, last_message_at: `2026-11-21T${time}:00Z` }));
  const list = fetched(rows, filter(), 50, 1);

  it('with a newer message moves to the top', () => {
    const now = place(list, { ...rows[2]!, seq: 2, last_message_at: '2026-11-21T07:00:00Z' }, filter(), ME);
    expect(ids(now)).toEqual(['c2', 'c0', 'c1']);
  });

  it('that no longer belongs leaves the list', () => {
    expect(ids(place(list, { ...rows[1]!, seq: 2, state: 'closed' }, filter(), ME))).toEqual(['c0', 'c2']);
  });

  it('that belongs now comes in at its place', () => {
    const waiting = filter({ view: 'waiting', sort: 'waiting' });
    const before = fetched([aRow({ id: 'a', handler: 'agent', waiting_since: '2026-11-21T05:00:00Z' })], waiting, 50, 1);
    const now = place(before, aRow({ id: 'b', handler: 'agent', waiting_since: '2026-11-21T04:00:00Z' }), waiting, ME);
    expect(ids(now)).toEqual(['b', 'a']);
  });

  it('in an older state changes nothing', () => {
    const newer = place(list, { ...rows[0]!, seq: 9, unread: 3 }, filter(), ME);
    expect(place(newer, { ...rows[0]!, seq: 8, unread: 0 }, filter(), ME)).toBe(newer);
  });

  it('of another account stays out of a filtered list', () => {
    const other = aRow({ id: 'x', channel_account: { id: 'a2', name: 'Other', kind: 'wecom_kf' } });
    expect(ids(place(list, other, filter({ account: 'a1' }), ME))).toEqual(['c0', 'c1', 'c2']);
  });
});

describe('state + event = state fetched afresh', () => {
  /** A small generator of numbers, the same in every run. */
  function numbers(seed: number): (below: number) => number {
    let state = seed;
    return (below) => {
      state = (state * 1_103_515_245 + 12_345) % 2_147_483_648;
      return state % below;
    };
  }

  function changed(row: ConversationRow, pick: (below: number) => number): ConversationRow {
    const handler = (['assistant', 'agent', 'servicer'] as const)[pick(3)]!;
    const staff = handler === 'agent' && pick(2) ? { id: pick(2) ? ME : 'other', name: 'x' } : null;
    return {
      ...row,
      seq: row.seq + 1,
      state: pick(5) ? 'open' : 'closed',
      handler,
      staff,
      waiting_since: handler === 'agent' && !staff ? `2026-11-21T0${pick(9)}:${10 + pick(49)}:00Z` : null,
      last_message_at: `2026-11-21T1${pick(9)}:${10 + pick(49)}:${10 + pick(49)}Z`,
    };
  }

  const views: ConversationView[] = ['all', 'mine', 'waiting', 'assistant', 'closed'];
  it.each(views.flatMap((view) => [1, 2, 3].map((seed) => [view, seed] as const)))('view %s, seed %i', (view, seed) => {
    const pick = numbers(seed * 7919 + view.length);
    let rows = Array.from({ length: 40 }, (_, index) => changed(aRow({ id: `c${String(index).padStart(2, '0')}` }), pick));
    const wanted = filter({ view, sort: pick(2) ? 'waiting' : 'newest' });
    let list = fetched(rows, wanted, 100, 1);
    for (let step = 0; step < 60; step += 1) {
      const row = changed(rows[pick(rows.length)]!, pick);
      rows = rows.map((one) => (one.id === row.id ? row : one));
      list = place(list, row, wanted, ME);
      expect(ids(list)).toEqual(ids(fetched(rows, wanted, 100, 1)));
    }
  });

  it('when only the first page is loaded, its rows stay a beginning of the true list', () => {
    const pick = numbers(11);
    let rows = Array.from({ length: 30 }, (_, index) => changed(aRow({ id: `c${String(index).padStart(2, '0')}` }), pick));
    let list = fetched(rows, filter(), 10, 1);
    for (let step = 0; step < 60; step += 1) {
      const row = changed(rows[pick(rows.length)]!, pick);
      rows = rows.map((one) => (one.id === row.id ? row : one));
      list = place(list, row, filter(), ME);
      const truth = ids(fetched(rows, filter(), 100, 1));
      expect(truth.slice(0, ids(list).length)).toEqual(ids(list));
    }
  });
});
