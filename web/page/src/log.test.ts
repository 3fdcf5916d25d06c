import type { Chat, VisitorMessage } from '@huitouke/api/visitor';
import { describe, expect, it } from 'vitest';
import { applied, EMPTY, isAnswering, timeBefore, unsent, withMessages, type Change } from './log';

function message(seq: number, facts: Partial<VisitorMessage> = {}): VisitorMessage {
  const sent_at = new Date(Date.UTC(2026, 0, 1, 0, 0, seq)).toISOString();
  return { id: `m${seq}`, seq, changed_seq: seq, by: 'visitor', ai: false, text: `${seq}`, line: null, client_id: null, sent_at, ...facts };
}

const CHAT: Chat = { id: 'c', seq: 9, open: true, with_person: false, waiting: false };
const said = (one: VisitorMessage): Change => ({ kind: 'message', message: one });

describe('the log of a chat', () => {
  it('after any changes, doubled and late ones too, is what would be fetched afresh', () => {
    const recalled = message(2, { changed_seq: 6, text: null });
    const frames: [number, Change][] = [
      [1, said(message(1))],
      [2, said(message(2))],
      [2, said(message(2))],
      [4, said(message(4))],
      [6, said(recalled)],
      [3, said(message(3, { id: 'm2', seq: 2, text: 'older' }))],
      [9, { kind: 'chat', chat: CHAT }],
    ];
    const log = frames.reduce((known, [seq, change]) => applied(known, seq, change), EMPTY);
    expect(log).toEqual({ chat: CHAT, messages: [message(1), recalled, message(4)], seq: 9 });
  });

  it('keeps the newest state of a message, whatever comes in which order', () => {
    const newer = message(2, { changed_seq: 5, text: 'newer' });
    expect(withMessages(withMessages(EMPTY, [newer]), [message(2), message(1)]).messages).toEqual([message(1), newer]);
  });

  it('shows what was written once, as soon as it has arrived by either way', () => {
    const pending = [
      { clientId: 'a', text: '1', state: 'sending' as const },
      { clientId: 'b', text: '2', state: 'sending' as const },
    ];
    const log = withMessages(EMPTY, [message(1, { client_id: 'a' })]);
    expect(unsent(pending, log).map((one) => one.clientId)).toEqual(['b']);
  });

  it('says the time at the beginning and after a pause', () => {
    expect(timeBefore(message(1), undefined)).toBe(true);
    expect(timeBefore(message(100), message(1))).toBe(false);
    expect(timeBefore(message(400), message(1))).toBe(true);
  });

  it('says that the machine is answering only while it may be', () => {
    const asked = { ...withMessages(EMPTY, [message(1)]), chat: CHAT };
    expect(isAnswering(asked, 0, 1000)).toBe(true);
    expect(isAnswering(asked, 1000, 1000)).toBe(false);
    expect(isAnswering({ ...asked, chat: { ...CHAT, with_person: true } }, 0, 1000)).toBe(false);
    expect(isAnswering(withMessages(asked, [message(2, { by: 'assistant' })]), 0, 1000)).toBe(false);
  });
});
