import type { Me } from '@huitouke/api';
import { IconConversations, IconCustomer, IconExtension, IconGift, IconKnowledge, IconLink, IconReport, IconSettings, IconStaff, IconToday } from '@huitouke/ui/icons';
import { computed, type Component, type ComputedRef } from 'vue';
import { features } from '../../features';
import type { MenuExtra } from '../feature';
import { useSession } from '../session/store';

/** One entry of the rail, and of the bottom bar on a phone. */
export interface MenuEntry extends Partial<MenuExtra> {
  id: string;
  label: string;
  icon: Component;
  to: string;
  /** In simple mode it stands on the page of what else there is, not in the menu. */
  more: boolean;
}

/** So many fit beside "me" into the bar of a phone; the others stand on that page. */
export const BAR_ENTRIES = 4;

/** The drawings that a manifest may name; others get a neutral one. */
const ICONS: Record<string, Component> = {
  book: IconKnowledge,
  chart: IconReport,
  gift: IconGift,
  link: IconLink,
  message: IconConversations,
  settings: IconSettings,
  today: IconToday,
  user: IconCustomer,
  users: IconStaff,
};

function extraOf(name: string): MenuExtra | undefined {
  return features.map((feature) => feature.menu?.[name]).find(Boolean);
}

/** The entries this person may open, of modules and plug-ins alike, in the server's order. */
export function useMenu(): ComputedRef<MenuEntry[]> {
  const session = useSession();
  return computed(() =>
    (session.me?.menu ?? []).map((entry) => ({
      ...extraOf(entry.name),
      id: entry.name,
      label: entry.label,
      icon: ICONS[entry.icon] ?? IconExtension,
      to: entry.path,
      more: entry.more,
    })),
  );
}

/** The plug-in's entry whose page stands at this address, if there is one. */
export function extensionAt(me: Me | null, path: string): Me['menu'][number] | undefined {
  return me?.menu.find((entry) => entry.page && (path === entry.path || path.startsWith(`${entry.path}/`)));
}
