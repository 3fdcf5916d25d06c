import * as format from '@huitouke/i18n';
import { useNow } from './useNow';
import { computed } from 'vue';
import { useI18n } from 'vue-i18n';
import { useSession } from './session/store';

/** The formatters with language and the tenant's time zone filled in; what says "ago" renews itself. */
export function useFormat() {
  const { t, locale } = useI18n();
  const session = useSession();
  const now = useNow();
  const context = computed<format.FormatContext>(() => ({
    locale: locale.value,
    timeZone: session.me?.tenant.time_zone ?? 'Asia/Shanghai',
    t: (key, params = {}) => t(key, params),
  }));
  return {
    now,
    shortTime: (iso: string | null | undefined) => format.shortTime(iso, now.value, context.value),
    fullTime: (iso: string | null | undefined) => format.fullTime(iso, context.value),
    moment: (iso: string) => format.moment(iso, now.value, context.value),
    clock: (iso: string) => format.clock(iso, context.value),
    dayTitle: (iso: string) => format.dayTitle(iso, context.value),
    dayOf: (iso: string) => format.dayOf(new Date(iso), context.value.timeZone),
    dayStart: (day: string) => format.dayStart(day, context.value.timeZone),
    duration: (milliseconds: number) => format.duration(milliseconds, context.value),
    until: (iso: string) => format.duration(Date.parse(iso) - now.value.getTime(), context.value),
    fileSize: (bytes: number) => format.fileSize(bytes, context.value),
    elapsed: (milliseconds: number) => format.elapsed(milliseconds, context.value),
    number: (value: number) => format.number(value, context.value),
  };
}
