import { api, unwrap, type ConversationView, type MessagePage } from '@huitouke/api';
import { infiniteQueryOptions, queryOptions, type QueryClient } from '@tanstack/vue-query';
import { PAGE_SIZE, pagedOptions } from '@/app/data/paged';
import { KEPT_FRESH_MS } from '@/app/query';

export interface InboxFilter {
  view: ConversationView;
  account: string | null;
  q: string;
  sort: 'newest' | 'waiting';
}

export const keys = {
  all: ['conversations'] as const,
  lists: ['conversations', 'list'] as const,
  list: (filter: InboxFilter) => ['conversations', 'list', filter] as const,
  counts: ['conversations', 'counts'] as const,
  detail: (id: string) => ['conversations', 'detail', id] as const,
  messages: (id: string) => ['conversations', 'messages', id] as const,
  accounts: ['conversations', 'accounts'] as const,
  servicers: (account: string) => ['conversations', 'servicers', account] as const,
  send: ['conversations', 'send'] as const,
};

export function inboxQuery(filter: InboxFilter) {
  return infiniteQueryOptions({
    queryKey: keys.list(filter),
    queryFn: ({ pageParam, signal }) =>
      unwrap(
        api.GET('/api/conversations', {
          params: {
            query: {
              view: filter.view,
              sort: filter.sort,
              limit: PAGE_SIZE,
              ...(filter.account && { channel_account_id: filter.account }),
              ...(filter.q && { q: filter.q }),
              ...(pageParam && { cursor: pageParam }),
            },
          },
          signal,
        }),
      ),
    ...pagedOptions,
    staleTime: KEPT_FRESH_MS,
  });
}

export function countsQuery() {
  return queryOptions({
    queryKey: keys.counts,
    queryFn: ({ signal }) => unwrap(api.GET('/api/conversations/counts', { signal })),
    staleTime: KEPT_FRESH_MS,
  });
}

export function detailQuery(id: string) {
  return queryOptions({
    queryKey: keys.detail(id),
    queryFn: ({ signal }) => unwrap(api.GET('/api/conversations/{conversation_id}', { params: { path: { conversation_id: id } }, signal })),
    staleTime: KEPT_FRESH_MS,
  });
}

/** Page 0 is the newest; each further page is older. Within a page the oldest stands first. */
export function messagesQuery(id: string) {
  return infiniteQueryOptions({
    queryKey: keys.messages(id),
    queryFn: ({ pageParam, signal }) =>
      unwrap(
        api.GET('/api/conversations/{conversation_id}/messages', {
          params: { path: { conversation_id: id }, query: { limit: PAGE_SIZE, ...(pageParam !== null && { before_seq: pageParam }) } },
          signal,
        }),
      ),
    initialPageParam: null as number | null,
    getNextPageParam: (page: MessagePage) => (page.has_more ? (page.items[0]?.seq ?? null) : null),
    staleTime: KEPT_FRESH_MS,
  });
}

/** What is pointed at, or comes next, is mostly there before it is opened. */
export async function prefetchConversation(cache: QueryClient, id: string): Promise<void> {
  await Promise.all([cache.prefetchQuery(detailQuery(id)), cache.prefetchInfiniteQuery(messagesQuery(id))]);
}

export function accountsQuery() {
  return queryOptions({
    queryKey: keys.accounts,
    queryFn: ({ signal }) => unwrap(api.GET('/api/channel-accounts', { signal })),
    staleTime: KEPT_FRESH_MS,
  });
}

export function servicersQuery(account: string) {
  return queryOptions({
    queryKey: keys.servicers(account),
    queryFn: ({ signal }) => unwrap(api.GET('/api/channel-accounts/{account_id}/servicers', { params: { path: { account_id: account } }, signal })),
  });
}
