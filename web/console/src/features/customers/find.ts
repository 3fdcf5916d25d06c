import { api, unwrap } from '@huitouke/api';
import { IconCustomer } from '@huitouke/ui/icons';
import type { Finder } from '@/app/commands/finding';

/** Customers by name or remark. */
export const customerFinder: Finder = {
  id: 'customers',
  title: 'customers.title',
  permissions: ['customers.view'],
  find: async (q, limit, signal) => {
    const page = await unwrap(api.GET('/api/customers', { params: { query: { q, limit } }, signal }));
    return page.items.map((one) => ({ id: one.id, label: one.name, hint: one.remark ?? '', icon: IconCustomer, to: `/customers?customer=${one.id}` }));
  },
};
