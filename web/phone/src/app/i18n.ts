import { makeI18n, nearestLocale, type ConsoleI18n, type Locale, type Messages } from '@huitouke/i18n';
import english from '../locales/en.json';
import chinese from '../locales/zh-CN.json';
import { recall, remember } from './storage';

const STORED = 'locale';
const messages: Record<Locale, Messages> = { 'zh-CN': chinese, en: english };

export const i18n: ConsoleI18n = makeI18n(nearestLocale(recall(STORED) ?? navigator.language), messages);

export function applyLocale(locale: Locale): void {
  i18n.global.locale.value = locale;
  document.documentElement.lang = locale;
  document.title = i18n.global.t('app.title');
  remember(STORED, locale);
}

export function startLocale(): void {
  applyLocale(nearestLocale(i18n.global.locale.value));
}
