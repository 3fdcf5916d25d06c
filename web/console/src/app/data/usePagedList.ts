import { useInfiniteQuery, type UseInfiniteQueryReturnType } from '@tanstack/vue-query';
import { computed, type ComputedRef, type Ref } from 'vue';
import { readable } from '../problem';
import { itemsOf, type Paged } from './paged';

interface PagedList<T> {
  items: ComputedRef<T[]>;
  loading: ComputedRef<boolean>;
  refreshing: ComputedRef<boolean>;
  error: ComputedRef<Error | null>;
  hasMore: ComputedRef<boolean>;
  loadingMore: ComputedRef<boolean>;
  loadMore: () => void;
  retry: () => void;
}

/**
 * Every list of the console: items flat, four states, and "more".
 * `options` is what a feature's `queries.ts` gives for a cursor; T is the type of its items, which the library
 * cannot carry through a ref.
 */
export function usePagedList<T>(options: Ref<object>): PagedList<T> {
  // Shallow: thousands of rows in deep proxies cost more than drawing them. The cache gives new objects for what changed.
  const shallow = computed(() => ({ ...options.value, shallow: true }));
  const query = useInfiniteQuery(shallow as never) as unknown as UseInfiniteQueryReturnType<Paged<T>, Error>;
  return {
    items: computed(() => itemsOf(query.data.value)),
    loading: computed(() => query.isPending.value),
    refreshing: computed(() => query.isRefetching.value),
    error: computed(() => (query.data.value ? null : readable(query.error.value))),
    hasMore: computed(() => query.hasNextPage.value),
    loadingMore: computed(() => query.isFetchingNextPage.value),
    loadMore: () => {
      if (query.hasNextPage.value && !query.isFetchingNextPage.value) void query.fetchNextPage();
    },
    retry: () => void query.refetch(),
  };
}
