import type { Feature } from '@/app/feature';
import { useWaitingCount } from './counts';
import { conversationFinder } from './find';
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
  menu: { conversations: { key: 'i', badge: useWaitingCount } },
  live,
  find: [conversationFinder],
};
