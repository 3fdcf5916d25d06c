import { api, unwrap, type EntryState } from '@huitouke/api';
import { infiniteQueryOptions, queryOptions } from '@tanstack/vue-query';
import { PAGE_SIZE, pagedOptions } from '@/app/data/paged';
import { KEPT_FRESH_MS } from '@/app/query';

export interface KnowledgeFilter {
  q: string;
  /** null = all groups; '' = entries without one. */
  group: string | null;
  state: EntryState | null;
}

export const keys = {
  knowledge: ['assistant', 'knowledge'] as const,
  entries: (filter: KnowledgeFilter) => ['assistant', 'knowledge', 'entries', filter] as const,
  entry: (id: string) => ['assistant', 'knowledge', 'entry', id] as const,
  groups: ['assistant', 'knowledge', 'groups'] as const,
  questions: ['assistant', 'knowledge', 'questions'] as const,
  import: (id: string) => ['assistant', 'import', id] as const,
  settings: ['assistant', 'settings'] as const,
  model: ['assistant', 'model'] as const,
  trace: (messageId: string) => ['assistant', 'trace', messageId] as const,
};

export function entriesQuery(filter: KnowledgeFilter) {
  return infiniteQueryOptions({
    queryKey: keys.entries(filter),
    queryFn: ({ pageParam, signal }) =>
      unwrap(
        api.GET('/api/knowledge/entries', {
          params: {
            query: {
              limit: PAGE_SIZE,
              ...(filter.q && { q: filter.q }),
              ...(filter.group !== null && { group: filter.group }),
              ...(filter.state && { state: filter.state }),
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

/** Asked when opened and then left alone: what is being edited must not change under the hands. */
export function entryQuery(id: string) {
  return queryOptions({
    queryKey: keys.entry(id),
    queryFn: ({ signal }) => unwrap(api.GET('/api/knowledge/entries/{entry_id}', { params: { path: { entry_id: id } }, signal })),
    refetchOnMount: 'always',
    staleTime: Infinity,
    gcTime: 0,
  });
}

export function groupsQuery() {
  return queryOptions({
    queryKey: keys.groups,
    queryFn: ({ signal }) => unwrap(api.GET('/api/knowledge/groups', { signal })),
    staleTime: KEPT_FRESH_MS,
  });
}

/** What customers asked in vain, and answers that wait for the shop's own words. */
export function questionsQuery() {
  return queryOptions({ queryKey: keys.questions, queryFn: ({ signal }) => unwrap(api.GET('/api/knowledge/questions', { signal })) });
}

const IMPORT_POLL_MS = 1_000;

/** While rows are being taken in, the figures renew every second. */
export function importQuery(id: string) {
  return queryOptions({
    queryKey: keys.import(id),
    queryFn: ({ signal }) => unwrap(api.GET('/api/knowledge/imports/{import_id}', { params: { path: { import_id: id } }, signal })),
    refetchInterval: (query) => (query.state.data?.state === 'applying' ? IMPORT_POLL_MS : false),
  });
}

export function settingsQuery() {
  return queryOptions({
    queryKey: keys.settings,
    queryFn: ({ signal }) => unwrap(api.GET('/api/assistant/settings', { signal })),
    staleTime: KEPT_FRESH_MS,
  });
}

export function modelQuery() {
  return queryOptions({
    queryKey: keys.model,
    queryFn: ({ signal }) => unwrap(api.GET('/api/assistant/model', { signal })),
  });
}

/** A trace never changes. */
export function traceQuery(messageId: string) {
  return queryOptions({
    queryKey: keys.trace(messageId),
    queryFn: ({ signal }) => unwrap(api.GET('/api/assistant/traces/{message_id}', { params: { path: { message_id: messageId } }, signal })),
    staleTime: Infinity,
  });
}
