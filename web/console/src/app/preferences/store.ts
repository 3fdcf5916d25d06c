import { defineStore } from 'pinia';
import { computed, ref, watch } from 'vue';

export type Theme = 'system' | 'light' | 'dark';

const STORED = 'huitouke.preferences';
/** Read by boot.js before the first paint. */
const STORED_THEME = 'huitouke.theme';

/** The list of conversations may be drawn wider or narrower within these. */
export const LIST_WIDTH_PX = 340;
export const LIST_NARROWEST_PX = 280;
export const LIST_WIDEST_PX = 440;

interface Stored {
  enterSends: boolean;
  navCollapsed: boolean;
  panelOpen: boolean;
  listWidthPx: number;
}

function read(): Stored {
  const defaults: Stored = { enterSends: true, navCollapsed: false, panelOpen: true, listWidthPx: LIST_WIDTH_PX };
  try {
    return { ...defaults, ...(JSON.parse(localStorage.getItem(STORED) ?? '{}') as Partial<Stored>) };
  } catch {
    // A broken value is no reason not to start; the defaults replace it.
    return defaults;
  }
}

/** What this browser remembers for its person. */
export const usePreferences = defineStore('preferences', () => {
  const stored = read();
  const theme = ref<Theme>((localStorage.getItem(STORED_THEME) as Theme | null) ?? 'system');
  const enterSends = ref(stored.enterSends);
  const navCollapsed = ref(stored.navCollapsed);
  const panelOpen = ref(stored.panelOpen);
  const listWidthPx = ref(stored.listWidthPx);
  const system = window.matchMedia('(prefers-color-scheme: dark)');
  const systemDark = ref(system.matches);
  const dark = computed(() => theme.value === 'dark' || (theme.value === 'system' && systemDark.value));

  system.addEventListener('change', () => (systemDark.value = system.matches));
  watch(theme, (choice) => localStorage.setItem(STORED_THEME, choice));
  watch(dark, (now) => (document.documentElement.dataset.theme = now ? 'dark' : 'light'));
  watch([enterSends, navCollapsed, panelOpen, listWidthPx], () => {
    const value: Stored = { enterSends: enterSends.value, navCollapsed: navCollapsed.value, panelOpen: panelOpen.value, listWidthPx: listWidthPx.value };
    localStorage.setItem(STORED, JSON.stringify(value));
  });
  return { theme, dark, enterSends, navCollapsed, panelOpen, listWidthPx };
});
