import { IconBell } from '@huitouke/ui/icons';
import type { Feature } from '../feature';
import { live } from './live';

/** What the person is told. It stands in the shell, for it is of every module. */
export const notices: Feature = {
  name: 'notices',
  routes: [{ path: 'notices', component: () => import('./NoticesPage.vue'), meta: { title: 'app.notices.title' } }],
  live,
  commands: [{ id: 'notices.open', title: 'app.notices.title', group: 'go', icon: IconBell, keys: 'g n', to: '/notices' }],
};
