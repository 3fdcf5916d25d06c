/** Times in the tenant's zone, durations, sizes: formatted here and nowhere in components. */
type Translate = (key: string, params?: Record<string, unknown>) => string;

export interface FormatContext {
  locale: string;
  timeZone: string;
  t: Translate;
}

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;
const DAY_MS = 24 * HOUR_MS;

const formatters = new Map<string, Intl.DateTimeFormat>();

/** Making a formatter costs a hundred times what formatting does, and a console needs a dozen of them. */
function formatter(locale: string, options: Intl.DateTimeFormatOptions): Intl.DateTimeFormat {
  const name = `${locale} ${JSON.stringify(options)}`;
  const known = formatters.get(name) ?? new Intl.DateTimeFormat(locale, options);
  formatters.set(name, known);
  return known;
}

function format(at: Date, context: FormatContext, options: Intl.DateTimeFormatOptions): string {
  return formatter(context.locale, { timeZone: context.timeZone, hourCycle: 'h23', ...options }).format(at);
}

/** The calendar day in the tenant's zone, as a comparable string. */
export function dayOf(at: Date, timeZone: string): string {
  return formatter('sv-SE', { timeZone, year: 'numeric', month: '2-digit', day: '2-digit' }).format(at);
}

/** The first moment of a calendar day (2026-11-21) in the tenant's zone. */
export function dayStart(day: string, timeZone: string): Date {
  const midnight = Date.parse(`${day}T00:00:00Z`);
  const options: Intl.DateTimeFormatOptions = { timeZone, hourCycle: 'h23', year: 'numeric', month: '2-digit', day: '2-digit', hour: '2-digit', minute: '2-digit', second: '2-digit' };
  const offset = (at: number): number => Date.parse(`${formatter('sv-SE', options).format(new Date(at)).replace(' ', 'T')}Z`) - at;
  const near = midnight - offset(midnight);
  return new Date(midnight - offset(near));
}

/** In lists: just now, 12 min ago, 14:05, yesterday 14:05, 3/8, 2025/3/8. */
export function shortTime(iso: string | null | undefined, now: Date, context: FormatContext): string {
  if (!iso) return '';
  const at = new Date(iso);
  const age = now.getTime() - at.getTime();
  if (age < MINUTE_MS && age > -MINUTE_MS) return context.t('common.time.just_now');
  if (age > 0 && age < HOUR_MS) return context.t('common.time.minutes', { n: Math.floor(age / MINUTE_MS) });
  const day = dayOf(at, context.timeZone);
  if (day === dayOf(now, context.timeZone)) return clock(iso, context);
  if (day === dayOf(new Date(now.getTime() - DAY_MS), context.timeZone)) return context.t('common.time.yesterday', { time: clock(iso, context) });
  const sameYear = day.slice(0, 4) === dayOf(now, context.timeZone).slice(0, 4);
  return format(at, context, { year: sameYear ? undefined : 'numeric', month: 'numeric', day: 'numeric' });
}

/** 14:05 */
export function clock(iso: string, context: FormatContext): string {
  return format(new Date(iso), context, { hour: '2-digit', minute: '2-digit' });
}

/** A moment near now: 14:05 today, else with its day. */
export function moment(iso: string, now: Date, context: FormatContext): string {
  const at = new Date(iso);
  if (dayOf(at, context.timeZone) === dayOf(now, context.timeZone)) return clock(iso, context);
  return format(at, context, { month: 'numeric', day: 'numeric', hour: '2-digit', minute: '2-digit' });
}

/** The exact moment, for titles and tables. */
export function fullTime(iso: string | null | undefined, context: FormatContext): string {
  if (!iso) return '';
  return format(new Date(iso), context, { dateStyle: 'medium', timeStyle: 'short', hourCycle: undefined });
}

/** A day as a heading between messages. */
export function dayTitle(iso: string, context: FormatContext): string {
  return format(new Date(iso), context, { month: 'long', day: 'numeric', weekday: 'short', hourCycle: undefined });
}

/** How long until or since: whole minutes below an hour, hours below two days, then days. Never below one minute. */
export function duration(milliseconds: number, context: FormatContext): string {
  const span = Math.abs(milliseconds);
  if (span < HOUR_MS) return context.t('common.duration.minutes', { n: Math.max(1, Math.floor(span / MINUTE_MS)) });
  if (span <= 2 * DAY_MS) return context.t('common.duration.hours', { n: Math.floor(span / HOUR_MS) });
  return context.t('common.duration.days', { n: Math.floor(span / DAY_MS) });
}

export function fileSize(bytes: number, context: FormatContext): string {
  if (bytes < 1024 * 1024) return context.t('common.bytes.kilo', { n: Math.max(1, Math.round(bytes / 1024)) });
  return context.t('common.bytes.mega', { n: (bytes / 1024 / 1024).toFixed(1) });
}

/** Below ten seconds in milliseconds, above in seconds with one decimal. */
export function elapsed(milliseconds: number, context: FormatContext): string {
  if (milliseconds < 10_000) return context.t('common.milliseconds', { n: Math.round(milliseconds) });
  return context.t('common.seconds', { n: (milliseconds / 1000).toFixed(1) });
}

export function number(value: number, context: Pick<FormatContext, 'locale'>): string {
  return new Intl.NumberFormat(context.locale).format(value);
}
