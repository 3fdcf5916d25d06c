import { IconAdd } from '@huitouke/ui/icons';
import type { RouteMeta } from 'vue-router';
import type { Feature } from '@/app/feature';
import { useSession } from '@/app/session/store';
import { live } from './live';
import { AUDIT, MANAGE, PLAN, PRIVACY, STAFF, SUPPORT, TODAY, WORK } from './permissions';

const meta = (title: string, permissions: readonly string[] = MANAGE): RouteMeta => ({ title, permissions });

/** The first page that this person may open. */
function firstPage(): string {
  const session = useSession();
  if (session.allowsAny(MANAGE)) return '/settings/channels';
  if (session.allowsAny(STAFF)) return '/settings/staff';
  if (session.allowsAny(PLAN)) return '/settings/plan';
  if (session.allowsAny(PRIVACY)) return '/settings/privacy';
  return session.allowsAny(WORK) ? '/settings/work' : '/settings/audit';
}

const mayManage = (): boolean => useSession().allowsAny(MANAGE);

export const organization: Feature = {
  name: 'organization',
  routes: [
    {
      path: 'settings',
      component: () => import('./pages/SettingsLayout.vue'),
      redirect: firstPage,
      children: [
        {
          path: 'channels',
          children: [
            { path: '', component: () => import('./pages/ChannelsPage.vue'), meta: meta('organization.channels.title') },
            { path: 'connect', component: () => import('./pages/ConnectPage.vue'), meta: meta('organization.connect.title') },
            { path: 'page', component: () => import('./pages/ChatPagePage.vue'), meta: meta('organization.page.title') },
            { path: 'apps/:id', component: () => import('./pages/AppPage.vue'), props: true, meta: meta('organization.app.title') },
            { path: 'accounts/:id', component: () => import('./pages/AccountPage.vue'), props: true, meta: meta('organization.account.title') },
          ],
        },
        { path: 'company', component: () => import('./pages/CompanyPage.vue'), meta: meta('organization.company.title') },
        { path: 'go-live', component: () => import('./pages/GoLivePage.vue'), meta: meta('organization.golive.title') },
        { path: 'staff', component: () => import('./pages/StaffPage.vue'), meta: meta('organization.staff.title', STAFF) },
        {
          path: 'people',
          children: [
            { path: '', component: () => import('./pages/PeoplePage.vue'), meta: meta('organization.people.title', STAFF) },
            { path: 'address-book', component: () => import('./pages/AddressBookPage.vue'), meta: meta('organization.book.title') },
            { path: 'import', component: () => import('./pages/PeopleImportPage.vue'), meta: meta('organization.people.import.title') },
          ],
        },
        {
          path: 'roles',
          children: [
            { path: '', component: () => import('./pages/RolesPage.vue'), meta: meta('organization.roles.title', STAFF) },
            { path: ':id', component: () => import('./pages/RolePage.vue'), props: true, meta: meta('organization.roles.title', STAFF) },
          ],
        },
        { path: 'plan', component: () => import('./pages/PlanPage.vue'), meta: meta('organization.plan.title', PLAN) },
        { path: 'support', component: () => import('./pages/SupportPage.vue'), meta: meta('organization.support.title', SUPPORT) },
        { path: 'notices', component: () => import('./pages/NoticesPage.vue'), meta: meta('organization.notices.title') },
        { path: 'work', component: () => import('./pages/WorkPage.vue'), meta: meta('organization.work.title', WORK) },
        { path: 'privacy', component: () => import('@/features/customers').then((one) => one.loadPrivacyPage()), meta: meta('customers.privacy.title', PRIVACY) },
        { path: 'audit', component: () => import('./pages/AuditPage.vue'), meta: meta('organization.audit.title', AUDIT) },
      ],
    },
    {
      path: 'start',
      component: () => import('./start/StartLayout.vue'),
      children: [
        { path: '', component: () => import('./start/IndustryPage.vue'), meta: meta('organization.start.industry.title') },
        { path: 'facts', component: () => import('./start/FactsPage.vue'), meta: meta('organization.start.facts.title') },
        { path: 'ready', component: () => import('./start/ReadyPage.vue'), meta: meta('organization.start.ready.title') },
      ],
    },
    { path: 'today', component: () => import('./start/TodayPage.vue'), meta: meta('organization.today.title', TODAY) },
    { path: 'activities', component: () => import('./start/ActivitiesPage.vue'), meta: meta('organization.activities.title') },
    // The addresses by which notices know these pages.
    { path: 'channels', redirect: '/settings/channels' },
    { path: 'team', redirect: '/settings/staff' },
  ],
  menu: { settings: { key: 's' }, today: { key: 't' }, activities: { key: 'p' } },
  live,
  commands: [
    { id: 'organization.connect', title: 'organization.connect.title', group: 'create', icon: IconAdd, when: mayManage, to: '/settings/channels/connect' },
    { id: 'organization.new_staff', title: 'organization.staff.add', group: 'create', icon: IconAdd, when: mayManage, to: '/settings/staff?new=1' },
  ],
};
