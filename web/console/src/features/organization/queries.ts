import { api, unwrap } from '@huitouke/api';
import { infiniteQueryOptions, queryOptions } from '@tanstack/vue-query';
import { PAGE_SIZE, pagedOptions } from '@/app/data/paged';

export const keys = {
  apps: ['organization', 'apps'] as const,
  app: (id: string) => ['organization', 'apps', id] as const,
  callbacks: (app: string) => ['organization', 'callbacks', app] as const,
  available: (app: string) => ['organization', 'available', app] as const,
  staff: ['organization', 'staff'] as const,
  deadLetters: ['organization', 'dead-letters'] as const,
  audit: ['organization', 'audit'] as const,
};

const page = (cursor: string | null) => ({ limit: PAGE_SIZE, ...(cursor && { cursor }) });

export function appsQuery() {
  return queryOptions({ queryKey: keys.apps, queryFn: ({ signal }) => unwrap(api.GET('/api/wecom-apps', { signal })) });
}

export function appQuery(id: string) {
  return queryOptions({
    queryKey: keys.app(id),
    queryFn: ({ signal }) => unwrap(api.GET('/api/wecom-apps/{app_id}', { params: { path: { app_id: id } }, signal })),
  });
}

const CALLBACKS_POLL_MS = 5_000;

/** Renewed every few seconds: while connecting, one waits for the first to arrive. */
export function callbacksQuery(app: string) {
  return infiniteQueryOptions({
    queryKey: keys.callbacks(app),
    queryFn: ({ pageParam, signal }) =>
      unwrap(api.GET('/api/wecom-apps/{app_id}/callbacks', { params: { path: { app_id: app }, query: page(pageParam) }, signal })),
    ...pagedOptions,
    refetchInterval: CALLBACKS_POLL_MS,
  });
}

export function availableQuery(app: string) {
  return queryOptions({
    queryKey: keys.available(app),
    queryFn: ({ signal }) => unwrap(api.GET('/api/channel-accounts/available', { params: { query: { wecom_app_id: app } }, signal })),
    retry: false,
  });
}

export function staffQuery() {
  return infiniteQueryOptions({
    queryKey: keys.staff,
    queryFn: ({ pageParam, signal }) => unwrap(api.GET('/api/staff', { params: { query: page(pageParam) }, signal })),
    ...pagedOptions,
  });
}

export function deadLettersQuery() {
  return infiniteQueryOptions({
    queryKey: keys.deadLetters,
    queryFn: ({ pageParam, signal }) => unwrap(api.GET('/api/work/dead-letters', { params: { query: page(pageParam) }, signal })),
    ...pagedOptions,
  });
}

export function auditQuery() {
  return infiniteQueryOptions({
    queryKey: keys.audit,
    queryFn: ({ pageParam, signal }) => unwrap(api.GET('/api/audit', { params: { query: page(pageParam) }, signal })),
    ...pagedOptions,
  });
}
