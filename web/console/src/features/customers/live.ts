import type { LiveHandlers } from '@/app/feature';
import { keys } from './queries';

export const live: LiveHandlers = {
  hints: {
    customer: (_id, cache) => void cache.invalidateQueries({ queryKey: keys.all }),
    // Customers came to be somebody's, or ceased to be: whoever sees only some may see others now.
    sight: (_id, cache) => void cache.invalidateQueries({ queryKey: keys.all }),
  },
};
