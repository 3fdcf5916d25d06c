export const FIRST_DELAY_MS = 500;
export const LONGEST_DELAY_MS = 30_000;

/**
 * Milliseconds to wait before attempt number `attempt` (0 = the first after a drop): doubling up to
 * 30 s, and anywhere between half and the whole of it, so that a restarted server is not met by all at once.
 */
export function reconnectDelay(attempt: number, random: () => number): number {
  const whole = Math.min(LONGEST_DELAY_MS, FIRST_DELAY_MS * 2 ** attempt);
  return whole / 2 + (whole / 2) * random();
}
