import { useQuery } from '@tanstack/vue-query';
import { computed, type ComputedRef } from 'vue';
import { unreadQuery } from './queries';

/** How many notices the person has not read; 0 while nobody knows. */
export function useUnread(): ComputedRef<number> {
  const unread = useQuery(unreadQuery());
  return computed(() => unread.data.value?.count ?? 0);
}
