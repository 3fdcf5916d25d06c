import type { Page } from '@huitouke/api';
import type { InfiniteData } from '@tanstack/vue-query';

export const PAGE_SIZE = 50;

export type Paged<T> = InfiniteData<Page<T>, string | null>;

/** What every list over a cursor shares; a feature's `queries.ts` adds key and function. */
export const pagedOptions = {
  initialPageParam: null as string | null,
  getNextPageParam: (page: Page<unknown>) => page.next_cursor ?? null,
};

export function itemsOf<T>(data: Paged<T> | undefined): T[] {
  return data?.pages.flatMap((page) => page.items) ?? [];
}
