/** Times as WeChat writes them, in the zone of whoever looks. */

export interface TimeContext {
  locale: string;
  timeZone?: string;
  yesterday: string;
}

const DAY_SECONDS = 86_400;
const WEEK_DAYS = 7;

function format(at: number, context: TimeContext, options: Intl.DateTimeFormatOptions): string {
  return new Intl.DateTimeFormat(context.locale, { timeZone: context.timeZone, hourCycle: 'h23', ...options }).format(at * 1000);
}

/** The calendar day as a comparable number of days. */
function dayNumber(at: number, context: TimeContext): number {
  const day = new Intl.DateTimeFormat('sv-SE', { timeZone: context.timeZone, year: 'numeric', month: '2-digit', day: '2-digit' }).format(at * 1000);
  return Date.parse(day) / 1000 / DAY_SECONDS;
}

export function clockTime(at: number, context: TimeContext): string {
  return format(at, context, { hour: '2-digit', minute: '2-digit' });
}

/** Between messages: 14:05, 昨天 14:05, 星期三 14:05, 3月8日 14:05, 2025年3月8日 14:05. */
export function chatTime(at: number, now: number, context: TimeContext): string {
  const day = dayLabel(at, now, context, 'long');
  return day ? `${day} ${clockTime(at, context)}` : clockTime(at, context);
}

/** In lists: 14:05, 昨天, 星期三, 3月8日, 2025/3/8. */
export function listTime(at: number | null, now: number, context: TimeContext): string {
  if (at === null) return '';
  return dayLabel(at, now, context, 'short') || clockTime(at, context);
}

function dayLabel(at: number, now: number, context: TimeContext, length: 'long' | 'short'): string {
  const days = dayNumber(now, context) - dayNumber(at, context);
  if (days === 0) return '';
  if (days === 1) return context.yesterday;
  if (days > 1 && days < WEEK_DAYS) return format(at, context, { weekday: context.locale.startsWith('zh') ? 'long' : 'short' });
  if (format(at, context, { year: 'numeric' }) === format(now, context, { year: 'numeric' })) return format(at, context, { month: length, day: 'numeric' });
  return format(at, context, { year: 'numeric', month: length === 'long' ? 'long' : 'numeric', day: 'numeric' });
}
