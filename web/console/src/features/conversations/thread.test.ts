import type { Message } from '@huitouke/api';
import { describe, expect, it } from 'vitest';
import { aMessage } from './fixtures';
import { knownSeq, messagesOf, putMessage, type Thread } from './thread';

/** What a server with these messages answers: the newest page, then older ones. */
function fetched(messages: readonly Message[], size: number, pages: number): Thread {
  const sorted = [...messages].sort((one, other) => one.seq - other.seq);
  const cut: Thread['pages'] = [];
  for (let page = 0, end = sorted.length; page < pages && (page === 0 || end > 0); page += 1) {
    const start = Math.max(0, end - size);
    cut.push({ items: sorted.slice(start, end), has_more: start > 0 });
    end = start;
  }
  return { pages: cut, pageParams: cut.map(() => null) };
}

describe('a message that arrives', () => {
  it('stands at the end', () => {
    const thread = putMessage(fetched([aMessage({ seq: 1 })], 50, 1), aMessage({ seq: 2 }));
    expect(messagesOf(thread).map((message) => message.seq)).toEqual([1, 2]);
  });

  it('twice stands there once', () => {
    const once = putMessage(fetched([], 50, 1), aMessage({ seq: 1 }));
    expect(messagesOf(putMessage(once, aMessage({ seq: 1 })))).toHaveLength(1);
  });

  it('in a newer state takes the place of the older, and never the other way round', () => {
    const queued = aMessage({ seq: 4, changed_seq: 4, state: 'queued', direction: 'out' });
    const sent = { ...queued, changed_seq: 6, state: 'sent' as const };
    const thread = putMessage(fetched([queued], 50, 1), sent);
    expect(messagesOf(putMessage(thread, queued))[0]?.state).toBe('sent');
  });

  it('late stands at its number', () => {
    const thread = putMessage(fetched([aMessage({ seq: 1 }), aMessage({ seq: 5 })], 50, 1), aMessage({ seq: 3 }));
    expect(messagesOf(thread).map((message) => message.seq)).toEqual([1, 3, 5]);
  });

  it('older than what is loaded waits for its page', () => {
    const thread = fetched([1, 2, 3, 4].map((seq) => aMessage({ seq })), 2, 1);
    expect(putMessage(thread, aMessage({ seq: 2, changed_seq: 9, recalled_at: '2026-11-21T06:00:00Z' }))).toBe(thread);
  });
});

it('state + event = state fetched afresh, whatever the order of events', () => {
  const all = Array.from({ length: 12 }, (_, index) => aMessage({ seq: index + 1 }));
  const events = [
    aMessage({ seq: 13 }),
    aMessage({ seq: 11, changed_seq: 14, recalled_at: '2026-11-21T06:01:00Z' }),
    aMessage({ seq: 15, direction: 'out', state: 'queued' }),
    aMessage({ seq: 15, changed_seq: 17, direction: 'out', state: 'failed' }),
    aMessage({ seq: 16 }),
  ];
  const truth = new Map(all.map((message) => [message.id, message]));
  for (const event of events) if ((truth.get(event.id)?.changed_seq ?? 0) <= event.changed_seq) truth.set(event.id, event);
  const fresh = messagesOf(fetched([...truth.values()], 50, 1)).slice(-8);
  for (const order of [events, [...events].reverse(), [events[3]!, events[0]!, events[2]!, events[4]!, events[1]!]]) {
    const thread = order.reduce(putMessage, fetched(all, 5, 1));
    expect(messagesOf(thread)).toEqual(fresh);
  }
});

it('the socket is asked from the last number that is surely in what was loaded', () => {
  const thread = fetched([aMessage({ seq: 3 }), aMessage({ seq: 2, changed_seq: 7 })], 50, 1);
  expect(knownSeq(thread, 9)).toBe(7);
  expect(knownSeq(thread, 5)).toBe(5);
  expect(knownSeq(fetched([], 50, 1), 5)).toBe(0);
});
