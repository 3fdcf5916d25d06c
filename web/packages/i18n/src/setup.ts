import { createI18n, type I18n } from 'vue-i18n';

export const LOCALES = ['zh-CN', 'en'] as const;
export type Locale = (typeof LOCALES)[number];
export type Messages = Record<string, string>;

/** The nearest language we have: every Chinese is zh-CN, everything else English. */
export function nearestLocale(wanted: string | null | undefined): Locale {
  if (!wanted) return 'zh-CN';
  return wanted.toLowerCase().startsWith('zh') ? 'zh-CN' : 'en';
}

export type ConsoleI18n = I18n<Record<string, Messages>, Record<string, never>, Record<string, never>, string, false>;

/** Keys are flat (`conversations.take.done`); a missing one falls back to Chinese, the source. */
export function makeI18n(locale: Locale, messages: Partial<Record<Locale, Messages>>): ConsoleI18n {
  return createI18n({
    legacy: false,
    flatJson: false,
    locale,
    fallbackLocale: 'zh-CN',
    messages: messages as Record<string, Messages>,
    messageResolver: (source, key) => (source as Messages)[key] ?? null,
    missingWarn: false,
    fallbackWarn: false,
  }) as unknown as ConsoleI18n;
}
