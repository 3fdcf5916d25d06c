import { ApiProblem } from '@huitouke/api';
import { QueryClient } from '@tanstack/vue-query';

/** For what the socket keeps fresh; everything else is asked again when it is looked at. */
export const KEPT_FRESH_MS = 5 * 60_000;
const RETRIES = 2;

export function makeQueryClient(): QueryClient {
  return new QueryClient({
    defaultOptions: {
      queries: {
        staleTime: 0,
        refetchOnWindowFocus: false,
        retry: (count, error) => count < RETRIES && error instanceof ApiProblem && error.transient,
      },
      mutations: { retry: false },
    },
  });
}
