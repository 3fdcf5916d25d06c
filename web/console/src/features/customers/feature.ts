import type { Feature } from '@/app/feature';
import { customerFinder } from './find';
import { live } from './live';

const permissions = ['customers.view'] as const;

export const customers: Feature = {
  name: 'customers',
  routes: [
    {
      path: 'customers',
      name: 'customers',
      component: () => import('./pages/CustomersPage.vue'),
      meta: { title: 'customers.title', permissions },
    },
  ],
  menu: { customers: { key: 'c' } },
  live,
  find: [customerFinder],
};
