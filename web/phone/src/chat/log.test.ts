import { describe, expect, it } from 'vitest';
import type { Message, MessagePage, Notice } from '../sandbox/types';
import { follow, fresh, merge, plan, type ChatKey, type ChatLog, type ChatSource } from './log';
import { message } from './message.fixture';

const KEY: ChatKey = { open_kfid: 'wk1', external_userid: 'wm1' };
const PAGE = 3;

/** A sandbox in memory: an append-only book whose entries may change, and the notices it would send. */
class Book {
  messages: Message[] = [];
  notices: Notice[] = [];

  add(state: Message['state'] = 'delivered'): void {
    const one = message({ seq: this.messages.length + 1, state });
    this.messages.push(one);
    this.tell(one);
  }

  change(index: number, patch: Partial<Message>): void {
    const one = this.messages[index];
    if (!one) return;
    this.messages[index] = { ...one, ...patch };
    this.tell(one);
  }

  private tell(one: Message): void {
    this.notices.push({ kind: 'message', open_kfid: KEY.open_kfid, external_userid: KEY.external_userid, msgid: one.msgid, seq: one.seq });
  }

  source(visible: (one: Message) => boolean): ChatSource {
    const shown = (): Message[] => this.messages.filter(visible);
    const page = (items: Message[], has_more: boolean): Promise<MessagePage> => Promise.resolve({ items, has_more });
    return {
      visible,
      newest: () => page(shown().slice(-PAGE), shown().length > PAGE),
      newer: (after) => {
        const found = shown().filter((one) => one.seq > after);
        return page(found.slice(0, PAGE), found.length > PAGE);
      },
      older: (before) => {
        const found = shown().filter((one) => one.seq < before);
        return page(found.slice(-PAGE), found.length > PAGE);
      },
      one: (msgid) => Promise.resolve(this.messages.find((one) => one.msgid === msgid) as Message),
    };
  }
}

const phone = (one: Message): boolean => one.state === 'delivered';
const desk = (): boolean => true;
const tail = (log: ChatLog, length: number): Message[] => log.items.slice(log.items.length - length);

describe('a chat that follows the stream', () => {
  it.each([
    ['phone', phone],
    ['desk', desk],
  ])('equals one fetched afresh, whatever happened meanwhile (%s)', async (_, visible) => {
    let random = 7;
    const draw = (below: number): number => (random = (random * 48271) % 2147483647) % below;
    const book = new Book();
    const source = book.source(visible);
    let log = fresh(await source.newest());

    for (let round = 0; round < 60; round++) {
      book.notices = [];
      for (let step = draw(6); step >= 0; step--) {
        const kind = draw(6);
        if (kind < 3) book.add();
        else if (kind === 3) book.add('accepted');
        else if (kind === 4) book.change(draw(book.messages.length || 1), { recalled: true });
        else book.change(book.messages.findIndex((one) => one.state === 'accepted'), { state: 'failed', fail_type: 10 });
      }
      log = await follow(log, book.notices, KEY, source);
      const afresh = fresh(await source.newest());
      expect(tail(log, afresh.items.length)).toEqual(afresh.items);
    }
    expect(log.items).toEqual(book.messages.filter(visible));
  });

  it('fetches everything again after a gap', async () => {
    const book = new Book();
    for (let count = 0; count < 5; count++) book.add();
    const log = await follow({ items: [], hasOlder: false }, [{ kind: 'reset' }], KEY, book.source(phone));
    expect(log.items.map((one) => one.seq)).toEqual([3, 4, 5]);
    expect(log.hasOlder).toBe(true);
  });

  it('asks for nothing when the notices speak of other chats', () => {
    const notices: Notice[] = [
      { kind: 'message', open_kfid: 'wk2', external_userid: 'wm1', msgid: 'x', seq: 9 },
      { kind: 'session', open_kfid: 'wk1', external_userid: 'wm1' },
    ];
    expect(plan({ items: [], hasOlder: false }, notices, KEY)).toEqual({ all: false, newer: false, changed: [] });
  });
});

describe('taking messages in', () => {
  it('keeps each once, in order, in its newest form', () => {
    const log = merge({ items: [message({ seq: 2 }), message({ seq: 4 })], hasOlder: true }, [message({ seq: 3 }), message({ seq: 4, recalled: true })]);
    expect(log.items.map((one) => [one.seq, one.recalled])).toEqual([
      [2, false],
      [3, false],
      [4, true],
    ]);
    expect(log.hasOlder).toBe(true);
  });
});
