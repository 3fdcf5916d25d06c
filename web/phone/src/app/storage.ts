/** What this browser keeps between visits; a browser that forbids storage only forgets. */
const PREFIX = 'wechat-sandbox.';

export function recall(name: string): string | null {
  try {
    return localStorage.getItem(PREFIX + name);
  } catch {
    return null;
  }
}

export function remember(name: string, value: string): void {
  try {
    localStorage.setItem(PREFIX + name, value);
  } catch {
    // Private windows may refuse; the choice then holds for this visit only.
  }
}
