import { IconCustomer } from '@huitouke/ui/icons';
import type { Feature } from '@/app/feature';

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
  menu: [{ id: 'customers', title: 'customers.title', icon: IconCustomer, to: '/customers', order: 20, permissions }],
};
