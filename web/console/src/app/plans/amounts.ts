/** How amounts of a quota are written: counted, in tokens, in bytes. */
export type Unit = 'count' | 'tokens' | 'bytes';

const MIB = 1024 ** 2;
const GIB = 1024 ** 3;
/** From here on a quota is called nearly used up. */
const NEARLY = 0.8;

export function amount(value: number, unit: Unit, locale: string): string {
  const plain = (number: number, digits = 0): string => new Intl.NumberFormat(locale, { maximumFractionDigits: digits }).format(number);
  if (unit !== 'bytes') return plain(value);
  return value >= GIB ? `${plain(value / GIB, 1)} GB` : `${plain(value / MIB, 1)} MB`;
}

/** How full it is, 0 … 1; null where there is no limit. A limit of nothing is full. */
export function fullness(used: number | null, limit: number | null): number | null {
  if (used === null || limit === null) return null;
  return limit === 0 ? 1 : Math.min(used / limit, 1);
}

export function toneOf(share: number | null): 'normal' | 'nearly' | 'full' {
  if (share === null || share < NEARLY) return 'normal';
  return share < 1 ? 'nearly' : 'full';
}

const DAY_MS = 86_400_000;
/** So many days before the end one is told of it. */
const TOLD_DAYS = 7;

/** Days left, rounded, when it is time to say so; null while there is enough, and when the time is over. */
export function daysToTell(expiresAt: string | null, renewed: boolean, now: Date): number | null {
  if (!expiresAt || renewed) return null;
  const left = Date.parse(expiresAt) - now.getTime();
  const days = Math.max(1, Math.round(left / DAY_MS));
  return left > 0 && days <= TOLD_DAYS ? days : null;
}
