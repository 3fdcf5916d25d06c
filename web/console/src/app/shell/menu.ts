import { computed, type ComputedRef } from 'vue';
import { features } from '../../features';
import type { MenuEntry } from '../feature';
import { useSession } from '../session/store';

/** The entries this person may open, in their order. */
export function useMenu(): ComputedRef<MenuEntry[]> {
  const session = useSession();
  return computed(() =>
    features
      .flatMap((feature) => feature.menu ?? [])
      .filter((entry) => session.allowsAny(entry.permissions))
      .sort((one, other) => one.order - other.order),
  );
}
