import type { LiveHandlers } from '@/app/feature';
import { keys } from './queries';

export const live: LiveHandlers = {
  hints: {
    knowledge: (_id, cache) => void cache.invalidateQueries({ queryKey: keys.knowledge }),
    assistant: (_id, cache) => void cache.invalidateQueries({ queryKey: keys.settings }),
  },
  resumed: (_since, cache) => {
    void cache.invalidateQueries({ queryKey: keys.knowledge });
    void cache.invalidateQueries({ queryKey: keys.settings });
  },
};
