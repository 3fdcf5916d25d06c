import type { Feature } from '@/app/feature';
import { useWaitingCount } from './counts';
import { conversationFinder } from './find';
import { live } from './live';
import InboxPage from './pages/InboxPage.vue';

const permissions = ['conversations.view'] as const;

export const conversations: Feature = {
  name: 'conversations',
  routes: [
    {
      path: 'conversations/:id?',
      name: 'conversations',
      // Part of the first load: it is what everybody opens, and each file of its own costs a round trip.
      component: InboxPage,
      meta: { title: 'conversations.title', permissions, full: true },
    },
  ],
  menu: { conversations: { key: 'i', badge: useWaitingCount } },
  live,
  find: [conversationFinder],
};
