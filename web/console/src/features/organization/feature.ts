import { IconAdd, IconSettings } from '@huitouke/ui/icons';
import type { RouteMeta } from 'vue-router';
import type { Feature } from '@/app/feature';
import { AUDIT, MANAGE, WORK } from './permissions';

const meta = (title: string, permissions: readonly string[] = MANAGE): RouteMeta => ({ title, permissions });

export const organization: Feature = {
  name: 'organization',
  routes: [
    {
      path: 'settings',
      component: () => import('./pages/SettingsLayout.vue'),
      redirect: '/settings/channels',
      children: [
        { path: 'channels', component: () => import('./pages/ChannelsPage.vue'), meta: meta('organization.channels.title') },
        { path: 'channels/apps/new', component: () => import('./pages/AppNewPage.vue'), meta: meta('organization.app.new') },
        { path: 'channels/apps/:id', component: () => import('./pages/AppPage.vue'), props: true, meta: meta('organization.app.title') },
        { path: 'channels/accounts/:id', component: () => import('./pages/AccountPage.vue'), props: true, meta: meta('organization.account.title') },
        { path: 'staff', component: () => import('./pages/StaffPage.vue'), meta: meta('organization.staff.title') },
        { path: 'work', component: () => import('./pages/WorkPage.vue'), meta: meta('organization.work.title', WORK) },
        { path: 'audit', component: () => import('./pages/AuditPage.vue'), meta: meta('organization.audit.title', AUDIT) },
      ],
    },
  ],
  menu: [{ id: 'settings', title: 'organization.title', icon: IconSettings, to: '/settings', order: 90, permissions: [...MANAGE, ...WORK, ...AUDIT] }],
  commands: [
    { id: 'organization.new_app', title: 'organization.app.new', group: 'create', icon: IconAdd, to: '/settings/channels/apps/new' },
    { id: 'organization.new_staff', title: 'organization.staff.add', group: 'create', icon: IconAdd, to: '/settings/staff?new=1' },
  ],
};
