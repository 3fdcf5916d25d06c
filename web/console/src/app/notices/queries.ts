import { api, unwrap } from '@huitouke/api';
import { infiniteQueryOptions, queryOptions } from '@tanstack/vue-query';
import { PAGE_SIZE, pagedOptions } from '../data/paged';

export const keys = {
  all: ['notices'] as const,
  unread: ['notices', 'unread'] as const,
  list: (unread: boolean) => ['notices', 'list', unread] as const,
  settings: ['notice-settings'] as const,
};

export function unreadQuery() {
  return queryOptions({ queryKey: keys.unread, queryFn: ({ signal }) => unwrap(api.GET('/api/notices/unread', { signal })) });
}

export function noticesQuery(unread: boolean) {
  return infiniteQueryOptions({
    queryKey: keys.list(unread),
    queryFn: ({ pageParam, signal }) =>
      unwrap(api.GET('/api/notices', { params: { query: { limit: PAGE_SIZE, unread, ...(pageParam && { cursor: pageParam }) } }, signal })),
    ...pagedOptions,
  });
}

/** Which channels reach the person changes elsewhere: asked whenever the page opens. */
export function settingsQuery() {
  return queryOptions({ queryKey: keys.settings, queryFn: ({ signal }) => unwrap(api.GET('/api/notices/settings', { signal })), staleTime: 0 });
}
