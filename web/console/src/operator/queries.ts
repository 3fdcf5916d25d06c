import { operatorApi, unwrapOperator } from '@huitouke/api/operator';
import { infiniteQueryOptions, queryOptions } from '@tanstack/vue-query';
import { PAGE_SIZE, pagedOptions } from '@/app/data/paged';

export type TenantState = 'active' | 'suspended' | 'closed';

export interface TenantFilter {
  q: string;
  state: TenantState | null;
}

export const keys = {
  all: ['operator'] as const,
  tenants: ['operator', 'tenants'] as const,
  tenant: (id: string) => ['operator', 'tenants', id] as const,
  plans: ['operator', 'plans'] as const,
  settings: ['operator', 'settings'] as const,
  log: (tenant: string | null) => ['operator', 'log', tenant] as const,
};

const page = (cursor: string | null) => ({ limit: PAGE_SIZE, ...(cursor && { cursor }) });

export function tenantsQuery(filter: TenantFilter) {
  return infiniteQueryOptions({
    queryKey: [...keys.tenants, 'list', filter] as const,
    queryFn: ({ pageParam, signal }) =>
      unwrapOperator(
        operatorApi.GET('/operator/api/tenants', {
          params: { query: { ...page(pageParam), ...(filter.q && { q: filter.q }), ...(filter.state && { state: filter.state }) } },
          signal,
        }),
      ),
    ...pagedOptions,
  });
}

export function tenantQuery(id: string) {
  return queryOptions({
    queryKey: keys.tenant(id),
    queryFn: ({ signal }) => unwrapOperator(operatorApi.GET('/operator/api/tenants/{tenant_id}', { params: { path: { tenant_id: id } }, signal })),
  });
}

export function plansQuery() {
  return queryOptions({ queryKey: keys.plans, queryFn: ({ signal }) => unwrapOperator(operatorApi.GET('/operator/api/plans', { signal })) });
}

export function settingsQuery() {
  return queryOptions({ queryKey: keys.settings, queryFn: ({ signal }) => unwrapOperator(operatorApi.GET('/operator/api/settings', { signal })) });
}

export function logQuery(tenant: string | null) {
  return infiniteQueryOptions({
    queryKey: keys.log(tenant),
    queryFn: ({ pageParam, signal }) =>
      unwrapOperator(operatorApi.GET('/operator/api/log', { params: { query: { ...page(pageParam), ...(tenant && { tenant_id: tenant }) } }, signal })),
    ...pagedOptions,
  });
}
