import { dayOf, dayStart } from '@huitouke/i18n';

const ZONE = 'Asia/Shanghai';
const DAY_MS = 86_400_000;

/** A plan that is given until a day holds through that day. */
export function endOf(day: string): string | null {
  return day ? new Date(dayStart(day, ZONE).getTime() + DAY_MS).toISOString() : null;
}

/** The last day on which it holds. */
export function lastDay(end: string | null): string {
  return end ? dayOf(new Date(Date.parse(end) - 1), ZONE) : '';
}
