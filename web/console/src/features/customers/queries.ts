import { api, unwrap } from '@huitouke/api';
import { infiniteQueryOptions, queryOptions } from '@tanstack/vue-query';
import { PAGE_SIZE, pagedOptions } from '@/app/data/paged';

/** `quiet`: who was not seen for so many days; `noOffers`: who gets none. */
interface Only {
  quiet?: number;
  noOffers?: boolean;
}

export const keys = {
  all: ['customers'] as const,
  lists: ['customers', 'list'] as const,
  list: (q: string, only: Only) => ['customers', 'list', q, only] as const,
  readings: (id: string) => ['customers', 'readings', id] as const,
  colleagues: ['customers', 'colleagues'] as const,
  detail: (id: string) => ['customers', 'detail', id] as const,
};

const filters = (q: string, only: Only) => ({ ...(q && { q }), ...(only.quiet && { quiet_days: only.quiet }), ...(only.noOffers && { no_offers: true }) });

export function customersQuery(q: string, only: Only = {}) {
  return infiniteQueryOptions({
    queryKey: keys.list(q, only),
    queryFn: ({ pageParam, signal }) =>
      unwrap(api.GET('/api/customers', { params: { query: { limit: PAGE_SIZE, ...filters(q, only), ...(pageParam && { cursor: pageParam }) } }, signal })),
    ...pagedOptions,
  });
}

export function customerQuery(id: string) {
  return queryOptions({
    queryKey: keys.detail(id),
    queryFn: ({ signal }) => unwrap(api.GET('/api/customers/{customer_id}', { params: { path: { customer_id: id } }, signal })),
  });
}

/** As many readings as a card shows. */
const READINGS = 20;

/** Who looked at what is hidden of a customer. */
export function readingsQuery(id: string) {
  return queryOptions({
    queryKey: keys.readings(id),
    queryFn: ({ signal }) => unwrap(api.GET('/api/customers/{customer_id}/readings', { params: { path: { customer_id: id }, query: { limit: READINGS } }, signal })),
  });
}

/** As many as the server gives at once. */
const COLLEAGUES_PAGE = 100;
/** Beyond it nobody reads a list of names. */
const COLLEAGUES_PAGES = 20;

/** Who may follow a customer: everybody who works here at present. */
export function colleaguesQuery() {
  return queryOptions({
    queryKey: keys.colleagues,
    queryFn: async ({ signal }) => {
      const options: { value: string; label: string }[] = [];
      let cursor: string | null = null;
      for (let page = 0; page < COLLEAGUES_PAGES; page += 1) {
        const query: { limit: number; cursor?: string } = { limit: COLLEAGUES_PAGE, ...(cursor && { cursor }) };
        const { items, next_cursor } = await unwrap(api.GET('/api/staff', { params: { query }, signal }));
        options.push(...items.filter((one) => one.state !== 'disabled').map((one) => ({ value: one.id, label: one.name })));
        cursor = next_cursor ?? null;
        if (!cursor) break;
      }
      return options;
    },
  });
}
