import type { QueryClient } from '@tanstack/vue-query';
import type { LiveHandlers } from '../feature';
import { useSession } from '../session/store';
import { keys } from './queries';

/** Whether a hint about this person's notices, or everybody's (null), is about ours. */
export function isOurs(id: string | null, mine: string | undefined): boolean {
  return id === null || id === mine;
}

function askAgain(cache: QueryClient): void {
  void cache.invalidateQueries({ queryKey: keys.all });
}

export const live: LiveHandlers = {
  hints: {
    notice: (id, cache) => {
      if (isOurs(id, useSession().me?.staff.id)) askAgain(cache);
    },
  },
  resumed: (_since, cache) => askAgain(cache),
};
