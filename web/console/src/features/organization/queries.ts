import { api, unwrap } from '@huitouke/api';
import { infiniteQueryOptions, queryOptions } from '@tanstack/vue-query';
import { PAGE_SIZE, pagedOptions } from '@/app/data/paged';
import { conversationKeys } from '@/features/conversations';

/** What the log is asked for: a kind of thing or one thing, one person, a period (moments, as ISO texts). */
export interface AuditFilter {
  kind: string | null;
  object: string | null;
  who: string | null;
  since: string | null;
  until: string | null;
  /** Only who looked at, or took out, what is not everybody's. */
  reading: boolean;
}

/** Whom a list of people holds: of a department and below (null: of all), by a part of the name, by what they are here. */
export interface PeopleFilter {
  department: string | null;
  q: string;
  state: 'here' | 'sign_in' | 'listed' | 'left';
}

/** Everything that went out, or what may not have arrived. */
export type DeliveryView = 'all' | 'not_told';

export const keys = {
  apps: ['organization', 'apps'] as const,
  app: (id: string) => ['organization', 'apps', id] as const,
  health: (app: string) => ['organization', 'health', app] as const,
  callbacks: (app: string) => ['organization', 'callbacks', app] as const,
  offered: ['organization', 'available'] as const,
  available: (app: string) => ['organization', 'available', app] as const,
  company: ['organization', 'company'] as const,
  ledger: ['organization', 'ledger'] as const,
  staff: ['organization', 'staff'] as const,
  departments: ['organization', 'departments'] as const,
  branches: (parent: string | null) => ['organization', 'departments', 'below', parent] as const,
  department: (id: string) => ['organization', 'departments', 'one', id] as const,
  departmentsNamed: (q: string) => ['organization', 'departments', 'named', q] as const,
  people: ['organization', 'people'] as const,
  peopleOf: (filter: PeopleFilter) => ['organization', 'people', filter] as const,
  book: ['organization', 'address-book'] as const,
  import: (id: string) => ['organization', 'people-import', id] as const,
  roles: ['organization', 'roles'] as const,
  plan: ['organization', 'plan'] as const,
  hostedPage: ['organization', 'hosted-page'] as const,
  visits: ['organization', 'visits'] as const,
  departmentTree: ['organization', 'departments', 'tree'] as const,
  sms: ['organization', 'sms'] as const,
  robots: ['organization', 'robots'] as const,
  deliveries: ['organization', 'deliveries'] as const,
  deliveriesOf: (view: DeliveryView) => ['organization', 'deliveries', view] as const,
  deadLetters: ['organization', 'dead-letters'] as const,
  audit: (filter: AuditFilter) => ['organization', 'audit', filter] as const,
  check: (of: Checked, id: string) => ['organization', 'check', of, id] as const,
};

const page = (cursor: string | null) => ({ limit: PAGE_SIZE, ...(cursor && { cursor }) });

/** The shop's own chat page; null while it has none. */
export function hostedPageQuery() {
  return queryOptions({ queryKey: keys.hostedPage, queryFn: ({ signal }) => unwrap(api.GET('/api/hosted-page', { signal })) });
}

export function appsQuery() {
  return queryOptions({ queryKey: keys.apps, queryFn: ({ signal }) => unwrap(api.GET('/api/wecom-apps', { signal })) });
}

export function appQuery(id: string) {
  return queryOptions({
    queryKey: keys.app(id),
    queryFn: ({ signal }) => unwrap(api.GET('/api/wecom-apps/{app_id}', { params: { path: { app_id: id } }, signal })),
  });
}

/** What can be tried live at WeCom. */
export type Checked = 'app' | 'account';

const CHECK_POLL_MS = 5_000;

/**
 * Asked of WeCom itself, and anew whenever a screen that shows it opens; the state of the thing may change by it.
 * `patient`: asked again by itself until the first message has come, also while what comes is refused.
 */
export function checkQuery(of: Checked, id: string, patient = false) {
  return queryOptions({
    queryKey: keys.check(of, id),
    queryFn: async ({ client, signal }) => {
      const { checks } = await (of === 'app'
        ? unwrap(api.POST('/api/wecom-apps/{app_id}/check', { params: { path: { app_id: id } }, signal }))
        : unwrap(api.POST('/api/channel-accounts/{account_id}/check', { params: { path: { account_id: id } }, signal })));
      void client.invalidateQueries({ queryKey: of === 'app' ? keys.apps : conversationKeys.accounts });
      return checks;
    },
    retry: false,
    refetchOnMount: 'always',
    refetchInterval: ({ state }) => (patient && state.data?.some((check) => check.name === 'callback' && check.state !== 'ok') ? CHECK_POLL_MS : false),
  });
}

const CALLBACKS_POLL_MS = 5_000;
const HEALTH_POLL_MS = 30_000;

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

/** How a connection is; what happens there sends no event, so it is asked anew now and then while one looks. */
export function healthQuery(app: string) {
  return queryOptions({
    queryKey: keys.health(app),
    queryFn: ({ signal }) => unwrap(api.GET('/api/wecom-apps/{app_id}/health', { params: { path: { app_id: app } }, signal })),
    staleTime: 0,
    refetchInterval: HEALTH_POLL_MS,
  });
}

export function availableQuery(app: string) {
  return queryOptions({
    queryKey: keys.available(app),
    queryFn: ({ signal }) => unwrap(api.GET('/api/channel-accounts/available', { params: { query: { wecom_app_id: app } }, signal })),
    retry: false,
  });
}

export function companyQuery() {
  return queryOptions({ queryKey: keys.company, queryFn: ({ signal }) => unwrap(api.GET('/api/company', { signal })) });
}

/** What has to be there before the real channels work. */
export function ledgerQuery() {
  return queryOptions({ queryKey: keys.ledger, queryFn: ({ signal }) => unwrap(api.GET('/api/prerequisites', { signal })) });
}

export function staffQuery() {
  return infiniteQueryOptions({
    queryKey: keys.staff,
    queryFn: ({ pageParam, signal }) => unwrap(api.GET('/api/staff', { params: { query: page(pageParam) }, signal })),
    ...pagedOptions,
  });
}

/** One level of the tree: the departments below one, or those at the top. */
export function branchesQuery(parent: string | null) {
  return infiniteQueryOptions({
    queryKey: keys.branches(parent),
    queryFn: ({ pageParam, signal }) =>
      unwrap(api.GET('/api/departments', { params: { query: { ...page(pageParam), ...(parent && { parent_id: parent }) } }, signal })),
    ...pagedOptions,
  });
}

export function departmentQuery(id: string) {
  return queryOptions({
    queryKey: keys.department(id),
    queryFn: ({ signal }) => unwrap(api.GET('/api/departments/{department_id}', { params: { path: { department_id: id } }, signal })),
  });
}

const FOUND = 20;

/** Departments of that name wherever they stand; without a name those at the top. */
export function departmentsNamedQuery(q: string) {
  return queryOptions({
    queryKey: keys.departmentsNamed(q),
    queryFn: async ({ signal }) => (await unwrap(api.GET('/api/departments', { params: { query: { limit: FOUND, ...(q && { q }) } }, signal }))).items,
  });
}

export function peopleQuery(filter: PeopleFilter) {
  return infiniteQueryOptions({
    queryKey: keys.peopleOf(filter),
    queryFn: ({ pageParam, signal }) =>
      unwrap(
        api.GET('/api/people', {
          params: { query: { ...page(pageParam), state: filter.state, ...(filter.department && { department_id: filter.department }), ...(filter.q && { q: filter.q }) } },
          signal,
        }),
      ),
    ...pagedOptions,
  });
}

const SYNC_POLL_MS = 3_000;

/** While a sync runs, asked now and then besides the live hints: one of them may be lost. */
export function bookQuery() {
  return queryOptions({
    queryKey: keys.book,
    queryFn: async ({ signal }) => (await unwrap(api.GET('/api/address-book', { signal }))).book,
    refetchInterval: ({ state }) => (state.data?.state === 'running' ? SYNC_POLL_MS : false),
  });
}

const IMPORT_POLL_MS = 1_000;

export function peopleImportQuery(id: string) {
  return queryOptions({
    queryKey: keys.import(id),
    queryFn: ({ signal }) => unwrap(api.GET('/api/people/imports/{staff_import_id}', { params: { path: { staff_import_id: id } }, signal })),
    refetchInterval: ({ state }) => (state.data?.state === 'applying' ? IMPORT_POLL_MS : false),
  });
}

/** Presets and own roles, and what there is to allow. */
export function rolesQuery() {
  return queryOptions({ queryKey: keys.roles, queryFn: ({ signal }) => unwrap(api.GET('/api/roles', { signal })) });
}

export function planQuery() {
  return queryOptions({ queryKey: keys.plan, queryFn: ({ signal }) => unwrap(api.GET('/api/plan', { signal })) });
}

export function visitsQuery() {
  return queryOptions({ queryKey: keys.visits, queryFn: ({ signal }) => unwrap(api.GET('/api/visits', { signal })) });
}

/** The tree, for whoever chooses from it. */
export function departmentTreeQuery() {
  return queryOptions({ queryKey: keys.departmentTree, queryFn: ({ signal }) => unwrap(api.GET('/api/department-tree', { signal })) });
}

export function smsQuery() {
  return queryOptions({ queryKey: keys.sms, queryFn: ({ signal }) => unwrap(api.GET('/api/sms-account', { signal })) });
}

export function robotsQuery() {
  return queryOptions({ queryKey: keys.robots, queryFn: ({ signal }) => unwrap(api.GET('/api/group-robots', { signal })) });
}

export function deliveriesQuery(view: DeliveryView) {
  return infiniteQueryOptions({
    queryKey: keys.deliveriesOf(view),
    queryFn: ({ pageParam, signal }) => unwrap(api.GET('/api/notices/deliveries', { params: { query: { ...page(pageParam), view } }, signal })),
    ...pagedOptions,
  });
}

const DEAD_LETTERS_POLL_MS = 15_000;

/** Renewed now and then: what is tried again may come back. */
export function deadLettersQuery() {
  return infiniteQueryOptions({
    queryKey: keys.deadLetters,
    queryFn: ({ pageParam, signal }) => unwrap(api.GET('/api/work/dead-letters', { params: { query: page(pageParam) }, signal })),
    ...pagedOptions,
    refetchInterval: DEAD_LETTERS_POLL_MS,
  });
}

function asked(filter: AuditFilter) {
  return {
    ...(filter.kind && { object_kind: filter.kind }),
    ...(filter.object && { object_id: filter.object }),
    ...(filter.who && { actor_id: filter.who }),
    ...(filter.since && { since: filter.since }),
    ...(filter.until && { until: filter.until }),
    ...(filter.reading && { reading: true }),
  };
}

/** The newest 10,000 entries; that they were taken out is noted. */
export function exportAudit(filter: AuditFilter) {
  return unwrap(api.POST('/api/audit/exports', { params: { query: asked(filter) } }));
}

export function auditQuery(filter: AuditFilter) {
  return infiniteQueryOptions({
    queryKey: keys.audit(filter),
    queryFn: ({ pageParam, signal }) =>
      unwrap(
        api.GET('/api/audit', { params: { query: { ...page(pageParam), ...asked(filter) } }, signal }),
      ),
    ...pagedOptions,
  });
}
