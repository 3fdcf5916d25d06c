import { api, unwrap } from '@huitouke/api';
import { infiniteQueryOptions, queryOptions } from '@tanstack/vue-query';
import { PAGE_SIZE, pagedOptions } from '@/app/data/paged';

export const keys = {
  all: ['customers'] as const,
  list: (q: string) => ['customers', 'list', q] as const,
  detail: (id: string) => ['customers', 'detail', id] as const,
};

export function customersQuery(q: string) {
  return infiniteQueryOptions({
    queryKey: keys.list(q),
    queryFn: ({ pageParam, signal }) =>
      unwrap(api.GET('/api/customers', { params: { query: { limit: PAGE_SIZE, ...(q && { q }), ...(pageParam && { cursor: pageParam }) } }, signal })),
    ...pagedOptions,
  });
}

export function customerQuery(id: string) {
  return queryOptions({
    queryKey: keys.detail(id),
    queryFn: ({ signal }) => unwrap(api.GET('/api/customers/{customer_id}', { params: { path: { customer_id: id } }, signal })),
  });
}
