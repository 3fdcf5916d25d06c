/** The door by which somebody came in last on this device: the sign-in page offers it again. */
const DOOR = 'huitouke.door';

export function keepDoor(code: string): void {
  localStorage.setItem(DOOR, code);
}

export function keptDoor(): string | null {
  const kept = localStorage.getItem(DOOR);
  return kept && /^[\w-]{8,64}$/.test(kept) ? kept : null;
}

export function forgetDoor(): void {
  localStorage.removeItem(DOOR);
}

/** Whether the page is open inside the WeCom app, which knows who holds the phone (path/90315: `wxwork`). */
export function inWecom(userAgent: string): boolean {
  return /\bwxwork\b/i.test(userAgent);
}
