import { onScopeDispose, ref } from 'vue';
import { getClock } from '../sandbox/api';
import type { Clock } from '../sandbox/types';

const TICK_MS = 10_000;

/** Seconds between the sandbox's clock and this browser's. */
const ahead = ref(0);
const browserNow = ref(Date.now() / 1000);
/** How far the sandbox's clock was moved, in seconds. */
export const moved = ref(0);

export function setClock(clock: Clock): void {
  browserNow.value = Date.now() / 1000;
  ahead.value = clock.now - browserNow.value;
  moved.value = clock.offset_seconds;
}

/** Unix seconds now, by the sandbox's clock. */
export function sandboxNow(): number {
  return Date.now() / 1000 + ahead.value;
}

export async function fetchClock(): Promise<void> {
  setClock(await getClock());
}

/** The sandbox's time for display; moves on by itself. */
export function useNow(): { now: () => number } {
  const timer = setInterval(() => (browserNow.value = Date.now() / 1000), TICK_MS);
  onScopeDispose(() => clearInterval(timer));
  return { now: () => browserNow.value + ahead.value };
}
