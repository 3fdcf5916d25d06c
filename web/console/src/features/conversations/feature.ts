import { IconConversations } from '@huitouke/ui/icons';
import type { Feature } from '@/app/feature';
import { useWaitingCount } from './counts';
import { live } from './live';

const permissions = ['conversations.view'] as const;

export const conversations: Feature = {
  name: 'conversations',
  routes: [
    {
      path: 'conversations/:id?',
      name: 'conversations',
      component: () => import('./pages/InboxPage.vue'),
      meta: { title: 'conversations.title', permissions, full: true },
    },
  ],
  menu: [
    {
      id: 'inbox',
      title: 'conversations.title',
      icon: IconConversations,
      to: '/conversations',
      order: 10,
      permissions,
      badge: useWaitingCount,
    },
  ],
  live,
};
