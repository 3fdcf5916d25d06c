import { configureApi } from '@huitouke/api';
import { LOCALES, makeI18n, nearestLocale, type ConsoleI18n, type Locale, type Messages } from '@huitouke/i18n';

const loaders: Record<Locale, () => Promise<{ messages: Messages }>> = {
  'zh-CN': () => import('./messages.zh-CN'),
  en: () => import('./messages.en'),
};

type Loader = Record<Locale, () => Promise<{ default: Messages }>>;

/** Texts of parts that are loaded later. */
const further: Loader[] = [];

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
  const [{ messages }, ...more] = await Promise.all([loaders[locale](), ...further.map((one) => one[locale]())]);
  instance.global.setLocaleMessage(locale, Object.assign({}, messages, ...more.map((one) => one.default)) as Messages);
  instance.global.locale.value = locale;
  announce(locale);
}

/** Adds the texts of a part that was not there from the start; once. */
export async function addTexts(loader: Loader): Promise<void> {
  if (further.includes(loader) || !instance) return;
  further.push(loader);
  const locale = instance.global.locale.value as Locale;
  instance.global.mergeLocaleMessage(locale, (await loader[locale]()).default);
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
