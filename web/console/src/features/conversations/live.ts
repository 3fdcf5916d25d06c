import { api, unwrap, type ConversationDetail, type ConversationFrame, type ConversationRow } from '@huitouke/api';
import type { QueryClient } from '@tanstack/vue-query';
import type { LiveHandlers } from '@/app/feature';
import type { Paged } from '@/app/data/paged';
import { useSession } from '@/app/session/store';
import { place } from './placement';
import { detailQuery, keys, type InboxFilter } from './queries';
import { putMessage, type Thread } from './thread';

/** Hints come in bursts; they are gathered this long. */
const GATHER_MS = 300;
/** More changed conversations than this at once: ask for the lists instead of for each. */
const EACH_LIMIT = 8;

/** A conversation in its present state, into its page and into every list that is loaded. */
export function applyConversation(cache: QueryClient, conversation: ConversationDetail, staffId: string | null): void {
  const known = cache.getQueryData<ConversationDetail>(keys.detail(conversation.id));
  if (known && known.seq > conversation.seq) return;
  cache.setQueryData(keys.detail(conversation.id), conversation);
  applyRow(cache, rowOf(conversation), staffId);
}

export function applyRow(cache: QueryClient, row: ConversationRow, staffId: string | null): void {
  for (const [key, list] of cache.getQueriesData<Paged<ConversationRow>>({ queryKey: keys.lists })) {
    if (!list) continue;
    const filter = key[2] as InboxFilter;
    // Only the server knows whether a changed row still matches a search.
    if (filter.q) void cache.invalidateQueries({ queryKey: key, exact: true });
    else cache.setQueryData(key, place(list, row, filter, staffId));
  }
}

const DETAIL_FIELDS = [
  'session_state',
  'handover_to',
  'handover_reason',
  'handover_summary',
  'handover_problem',
  'closed_at',
  'text_limit_bytes',
  'card_limits_bytes',
  'menu_buttons',
  'can',
] as const satisfies readonly Exclude<keyof ConversationDetail, keyof ConversationRow>[];

/** What a list shows of a conversation: exactly what the server's list would have. */
export function rowOf(conversation: ConversationDetail): ConversationRow {
  const { id, name, avatar_url } = conversation.customer;
  const row = { ...conversation, customer: { id, name, avatar_url } };
  for (const field of DETAIL_FIELDS) Reflect.deleteProperty(row, field);
  return row;
}

export function applyFrame(cache: QueryClient, id: string, frame: ConversationFrame, staffId: string | null): void {
  if (frame.kind === 'conversation') {
    applyConversation(cache, frame.conversation, staffId);
    return;
  }
  cache.setQueryData<Thread>(keys.messages(id), (thread) => thread && putMessage(thread, frame.message));
}

const gathered = new Set<string>();
let timer: ReturnType<typeof setTimeout> | undefined;

function gather(ids: readonly string[], cache: QueryClient): void {
  ids.forEach((id) => gathered.add(id));
  timer ??= setTimeout(() => {
    timer = undefined;
    const changed = [...gathered];
    gathered.clear();
    void bringIn(changed, cache);
  }, GATHER_MS);
}

async function bringIn(ids: readonly string[], cache: QueryClient): Promise<void> {
  void cache.invalidateQueries({ queryKey: keys.counts });
  if (ids.length > EACH_LIMIT) {
    ids.forEach((id) => void cache.invalidateQueries({ queryKey: keys.detail(id), refetchType: 'active' }));
    void cache.invalidateQueries({ queryKey: keys.lists });
    return;
  }
  await Promise.all(ids.map((id) => bringOne(id, cache)));
}

async function bringOne(id: string, cache: QueryClient): Promise<void> {
  try {
    const conversation = await unwrap(api.GET('/api/conversations/{conversation_id}', { params: { path: { conversation_id: id } } }));
    applyConversation(cache, conversation, useSession().me?.staff.id ?? null);
  } catch {
    // A failed question changes nothing on the screen: the next hint or resume asks again.
  }
}

function refetchAll(cache: QueryClient): void {
  void cache.invalidateQueries({ queryKey: keys.lists });
  void cache.invalidateQueries({ queryKey: keys.counts });
}

export const live: LiveHandlers = {
  streams: {
    conversation: (id, data, cache) => applyFrame(cache, id, data as ConversationFrame, useSession().me?.staff.id ?? null),
  },
  hints: {
    inbox: (id, cache) => (id ? gather([id], cache) : refetchAll(cache)),
    // Whoever sees only some customers may see others now: of what is open as well.
    sight: (_id, cache) => void cache.invalidateQueries({ queryKey: keys.all }),
    counts: (_id, cache) => void cache.invalidateQueries({ queryKey: keys.counts }),
    channel_account: (_id, cache) => {
      void cache.invalidateQueries({ queryKey: keys.accounts });
      void cache.invalidateQueries({ queryKey: ['organization', 'available'] });
    },
  },
  changed: (ids, cache) => gather(ids, cache),
  reset: (_stream, id, cache) => {
    void cache.invalidateQueries({ queryKey: keys.messages(id) });
    void cache.invalidateQueries(detailQuery(id));
  },
  resumed: (since, cache) => {
    // With a time to ask from, `changed` brings what is new; without one everything visible is asked for.
    if (since) void cache.invalidateQueries({ queryKey: keys.counts });
    else void cache.invalidateQueries({ queryKey: keys.all });
  },
};
