import { configureApi } from '@huitouke/api';
import { LOCALES, makeI18n, nearestLocale, type ConsoleI18n, type Locale, type Messages } from '@huitouke/i18n';

const loaders: Record<Locale, () => Promise<{ messages: Messages }>> = {
  'zh-CN': () => import('./messages.zh-CN'),
  en: () => import('./messages.en'),
};

const STORED = 'huitouke.locale';
let instance: ConsoleI18n | null = null;

export function storedLocale(): Locale {
  return nearestLocale(localStorage.getItem(STORED) ?? navigator.language);
}

/** Made once, with the one language that is needed. */
export async function startI18n(): Promise<ConsoleI18n> {
  const locale = storedLocale();
  const { messages } = await loaders[locale]();
  instance = makeI18n(locale, { [locale]: messages });
  announce(locale);
  return instance;
}

export async function useLocale(wanted: string): Promise<void> {
  const locale = nearestLocale(wanted);
  if (!instance || instance.global.locale.value === locale) return;
  const { messages } = await loaders[locale]();
  instance.global.setLocaleMessage(locale, messages);
  instance.global.locale.value = locale;
  announce(locale);
}

function announce(locale: Locale): void {
  localStorage.setItem(STORED, locale);
  document.documentElement.lang = locale;
  configureApi({ locale });
}

export function translate(key: string, params: Record<string, unknown> = {}): string {
  return instance?.global.t(key, params) ?? key;
}

export { LOCALES };
