import type { ConversationView } from '@huitouke/api';
import { computed } from 'vue';
import { useRoute, useRouter, type LocationQueryRaw } from 'vue-router';
import type { InboxFilter } from './queries';

export const VIEWS: readonly ConversationView[] = ['mine', 'waiting', 'assistant', 'all', 'closed'];

function isView(value: unknown): value is ConversationView {
  return VIEWS.includes(value as ConversationView);
}

/** What the address says: which view, filter and conversation. The address is the only place it is kept. */
export function useInbox() {
  const route = useRoute();
  const router = useRouter();

  const filter = computed<InboxFilter>(() => {
    const { view, account, q, sort } = route.query;
    const chosen = isView(view) ? view : 'all';
    return {
      view: chosen,
      account: typeof account === 'string' ? account : null,
      q: typeof q === 'string' ? q : '',
      sort: sort === 'waiting' || (sort !== 'newest' && chosen === 'waiting') ? 'waiting' : 'newest',
    };
  });
  const openId = computed(() => (typeof route.params.id === 'string' && route.params.id ? route.params.id : null));

  function place(id: string | null, change: LocationQueryRaw = {}) {
    const query: LocationQueryRaw = Object.fromEntries(Object.entries({ ...route.query, ...change }).filter(([, value]) => value));
    return { name: 'conversations', params: { id }, query };
  }

  return {
    filter,
    openId,
    place,
    open: (id: string | null) => router.push(place(id)),
    refine: (change: LocationQueryRaw) => router.replace(place(openId.value, change)),
  };
}
