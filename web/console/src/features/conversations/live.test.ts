import type { ConversationRow } from '@huitouke/api';
import { QueryClient } from '@tanstack/vue-query';
import { beforeEach, describe, expect, it } from 'vitest';
import type { Paged } from '@/app/data/paged';
import { aDetail, aMessage, aRow } from './fixtures';
import { applyConversation, applyFrame, rowOf } from './live';
import { keys, type InboxFilter } from './queries';
import { messagesOf, type Thread } from './thread';

const all: InboxFilter = { view: 'all', account: null, q: '', sort: 'newest' };
const mine: InboxFilter = { ...all, view: 'mine' };
const found: InboxFilter = { ...all, q: 'lin' };
let cache: QueryClient;

function listOf(...items: ConversationRow[]): Paged<ConversationRow> {
  return { pages: [{ items, next_cursor: null }], pageParams: [null] };
}
const rows = (filter: InboxFilter): string[] => cache.getQueryData<Paged<ConversationRow>>(keys.list(filter))!.pages.flatMap((page) => page.items.map((row) => row.id));

beforeEach(() => {
  cache = new QueryClient();
  cache.setQueryData(keys.detail('c1'), aDetail({ seq: 3 }));
  cache.setQueryData(keys.list(all), listOf(aRow({ id: 'c1', seq: 3 }), aRow({ id: 'c2', last_message_at: '2026-11-21T05:00:00Z' })));
  cache.setQueryData(keys.list(mine), listOf());
  cache.setQueryData<Thread>(keys.messages('c1'), { pages: [{ items: [aMessage({ seq: 1 })], has_more: false }], pageParams: [null] });
});

describe('the frame of a conversation', () => {
  const taken = aDetail({ seq: 4, handler: 'agent', staff: { id: 'me', name: 'Me' } });

  it('leaves the page and every list as if they were fetched afresh', () => {
    applyFrame(cache, 'c1', { kind: 'conversation', conversation: taken }, 'me');
    expect(cache.getQueryData(keys.detail('c1'))).toEqual(taken);
    expect(rows(mine)).toEqual(['c1']);
    expect(rows(all)).toEqual(['c1', 'c2']);
  });

  it('that is older than what is known changes nothing', () => {
    applyFrame(cache, 'c1', { kind: 'conversation', conversation: aDetail({ seq: 2, unread: 9 }) }, 'me');
    expect(cache.getQueryData(keys.detail('c1'))).toEqual(aDetail({ seq: 3 }));
  });

  it('makes a searched list ask again: only the server knows whether the row still matches', () => {
    cache.setQueryData(keys.list(found), listOf(aRow({ id: 'c1' })));
    applyConversation(cache, taken, 'me');
    expect(cache.getQueryState(keys.list(found))?.isInvalidated).toBe(true);
    expect(cache.getQueryState(keys.list(all))?.isInvalidated).toBe(false);
  });
});

it('the frame of a message goes into the thread when it is loaded, and nowhere when not', () => {
  applyFrame(cache, 'c1', { kind: 'message', message: aMessage({ seq: 2 }) }, 'me');
  applyFrame(cache, 'c9', { kind: 'message', message: aMessage({ seq: 2, conversation_id: 'c9' }) }, 'me');
  expect(messagesOf(cache.getQueryData<Thread>(keys.messages('c1'))).map((message) => message.seq)).toEqual([1, 2]);
  expect(cache.getQueryData(keys.messages('c9'))).toBeUndefined();
});

it('a row made from a conversation has the fields that the list of the server has', () => {
  expect(Object.keys(rowOf(aDetail())).sort()).toEqual(Object.keys(aRow()).sort());
  expect(Object.keys(rowOf(aDetail()).customer).sort()).toEqual(['avatar_url', 'id', 'name']);
});
