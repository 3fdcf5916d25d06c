import { useI18n } from 'vue-i18n';
import { chatTime, clockTime, listTime, type TimeContext } from '../chat/time';
import { useNow } from './useClock';

/** Times in the language of the page, relative to the sandbox's clock. */
export function useTimes(): { inChat: (at: number) => string; inList: (at: number | null) => string; clock: () => string } {
  const { t, locale } = useI18n();
  const { now } = useNow();
  const context = (): TimeContext => ({ locale: locale.value, yesterday: t('time.yesterday') });
  return {
    inChat: (at) => chatTime(at, now(), context()),
    inList: (at) => listTime(at, now(), context()),
    clock: () => clockTime(now(), context()),
  };
}
