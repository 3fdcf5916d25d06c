import { ref, watch } from 'vue';
import { recall, remember } from './storage';

export const THEMES = ['system', 'light', 'dark'] as const;
export type Theme = (typeof THEMES)[number];

const STORED = 'theme';
const system = matchMedia('(prefers-color-scheme: dark)');

function stored(): Theme {
  const value = recall(STORED);
  return THEMES.find((one) => one === value) ?? 'system';
}

export const theme = ref<Theme>(stored());

function apply(): void {
  const dark = theme.value === 'dark' || (theme.value === 'system' && system.matches);
  document.documentElement.dataset.theme = dark ? 'dark' : 'light';
}

export function startTheme(): void {
  system.addEventListener('change', apply);
  watch(theme, (value) => {
    remember(STORED, value);
    apply();
  });
  apply();
}
