import type { LiveHandlers } from '@/app/feature';
import { renewSession } from '@/app/session/session';
import { useSession } from '@/app/session/store';
import { keys } from './queries';

/** Processes keep what a person may do for up to five seconds: asked once more after that, the answer is right. */
const RIGHTS_KNOWN_AFTER_MS = 6_000;

export const live: LiveHandlers = {
  hints: {
    visits: (_id, cache) => void cache.invalidateQueries({ queryKey: keys.visits }),
    department: (_id, cache) => void cache.invalidateQueries({ queryKey: keys.departments }),
    staff: (_id, cache) => {
      void cache.invalidateQueries({ queryKey: keys.people });
      void cache.invalidateQueries({ queryKey: keys.departments });
      void cache.invalidateQueries({ queryKey: keys.staff });
    },
    notice_delivery: (_id, cache) => void cache.invalidateQueries({ queryKey: keys.deliveries }),
    address_book: (_id, cache) => void cache.invalidateQueries({ queryKey: keys.book }),
    staff_import: (id, cache) => void cache.invalidateQueries({ queryKey: keys.import(id ?? '') }),
    // Of one person, or of everybody who has a role.
    rights: (id, cache) => {
      void cache.invalidateQueries({ queryKey: keys.staff });
      void cache.invalidateQueries({ queryKey: keys.roles });
      if (id && id !== useSession().me?.staff.id) return;
      void renewSession();
      window.setTimeout(() => void renewSession(), RIGHTS_KNOWN_AFTER_MS);
    },
  },
};
