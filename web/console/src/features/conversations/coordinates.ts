export interface Coordinates {
  latitude: number;
  longitude: number;
}

/** Northern and southern, western and eastern ends of China: what tells the two numbers apart. */
const CHINA = { latitude: [3, 54], longitude: [73, 136] } as const;
const PAIR = /(-?\d{1,3}(?:\.\d+)?)\s*(?:,|，|\s|%2C)\s*(-?\d{1,3}(?:\.\d+)?)/i;

function within(value: number, [from, to]: readonly [number, number]): boolean {
  return value >= from && value <= to;
}

/**
 * Two numbers out of what a map gives to copy, or out of a map's link. Tencent writes latitude first, 高德 longitude:
 * where only the turned order lies in China, it is turned.
 */
export function parseCoordinates(text: string): Coordinates | null {
  const match = PAIR.exec(text);
  if (!match) return null;
  const [first, second] = [Number(match[1]), Number(match[2])];
  const turned = within(first, CHINA.longitude) && within(second, CHINA.latitude) && !within(first, CHINA.latitude);
  const [latitude, longitude] = turned ? [second, first] : [first, second];
  return Math.abs(latitude) <= 90 && Math.abs(longitude) <= 180 ? { latitude, longitude } : null;
}
