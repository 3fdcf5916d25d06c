import type { Message } from '@huitouke/api';
import { expect, it } from 'vitest';
import { groupsOf, linesOf } from './lines';

const dayOf = (iso: string): string => iso.slice(0, 10);

function said(seq: number, sender: 'customer' | 'assistant' | 'system', at: string, msgtype = 'text'): Message {
  return { id: `m${seq}`, seq, sender_kind: sender, sender: null, msgtype, sent_at: at } as unknown as Message;
}

it('a person is shown once for several messages in a row, and again after another one, a line, or midnight', () => {
  const lines = linesOf(
    [
      said(1, 'customer', '2026-11-20T10:00:01Z'),
      said(2, 'customer', '2026-11-20T10:00:20Z'),
      said(3, 'assistant', '2026-11-20T10:01:00Z'),
      said(4, 'system', '2026-11-20T10:02:00Z', 'event'),
      said(5, 'system', '2026-11-20T10:02:30Z'),
      said(6, 'customer', '2026-11-20T23:59:00Z'),
      said(7, 'customer', '2026-11-21T00:01:00Z'),
    ],
    dayOf,
  );
  expect(lines.map((line) => line.follows)).toEqual([false, true, false, false, false, false, false]);
  expect(lines.map((line) => line.closes)).toEqual([false, true, true, true, true, true, true]);
  expect(lines.map((line) => line.day !== null)).toEqual([true, false, false, false, false, false, true]);
});

it('groups stay the same when older messages come before them', () => {
  const at = '2026-11-20T10:00:00Z';
  const newer = Array.from({ length: 120 }, (_, n) => said(100 + n, 'customer', at));
  const older = Array.from({ length: 40 }, (_, n) => said(60 + n, 'customer', at));
  const before = groupsOf(linesOf(newer, dayOf));
  const after = groupsOf(linesOf([...older, ...newer], dayOf));
  expect(before.map((group) => [group.id, group.lines.length])).toEqual([
    [2, 50],
    [3, 50],
    [4, 20],
  ]);
  expect(after.slice(1).map((group) => group.id)).toEqual(before.map((group) => group.id));
});

it('ten thousand messages become lines in the time of a frame', () => {
  const messages = Array.from({ length: 10_000 }, (_, n) => said(n, n % 3 ? 'customer' : 'assistant', new Date(1_795_000_000_000 + n * 9_000).toISOString()));
  let formatted = 0;
  groupsOf(linesOf(messages, (iso) => (formatted++, dayOf(iso))));
  expect(formatted).toBeLessThan(30);
});
