import { api, unwrap } from '@huitouke/api';
import { IconConversations } from '@huitouke/ui/icons';
import type { Finder } from '@/app/commands/finding';

/** Conversations by the customer's name or remark, or by the last words; closed ones too. */
export const conversationFinder: Finder = {
  id: 'conversations',
  title: 'conversations.found',
  permissions: ['conversations.view'],
  find: async (q, limit, signal) => {
    const page = await unwrap(api.GET('/api/conversations', { params: { query: { view: 'all', q, limit } }, signal }));
    return page.items.map((row) => ({
      id: row.id,
      label: row.customer.name,
      hint: row.last_preview,
      icon: IconConversations,
      to: row.state === 'closed' ? `/conversations/${row.id}?view=closed` : `/conversations/${row.id}`,
    }));
  },
};
