import { useQuery } from '@tanstack/vue-query';
import { computed, type ComputedRef } from 'vue';
import { countsQuery } from './queries';

/** How many customers wait for a person, for the badge of the menu. */
export function useWaitingCount(): ComputedRef<number> {
  const counts = useQuery(countsQuery());
  return computed(() => counts.data.value?.waiting ?? 0);
}
