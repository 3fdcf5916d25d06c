import type { Pending } from './log';

interface Kept {
  draft: string;
  pending: { clientId: string; text: string }[];
}

const NOTHING: Kept = { draft: '', pending: [] };

/** What the visitor wrote and we have not stored yet, for as long as the tab lives: a reload loses no word. */
export class Store {
  constructor(private readonly key: string) {}

  read(): Kept {
    try {
      return { ...NOTHING, ...(JSON.parse(sessionStorage.getItem(this.key) ?? '{}') as Partial<Kept>) };
    } catch {
      return NOTHING; // storage is switched off: then the words live as long as the page
    }
  }

  write(draft: string, pending: readonly Pending[]): void {
    try {
      const kept: Kept = { draft, pending: pending.map(({ clientId, text }) => ({ clientId, text })) };
      sessionStorage.setItem(this.key, JSON.stringify(kept));
    } catch {
      return;
    }
  }
}

/** An id that nobody else chooses; old browsers have no `crypto.randomUUID`. */
export function newClientId(): string {
  return Array.from(crypto.getRandomValues(new Uint8Array(16)), (byte) => byte.toString(16).padStart(2, '0')).join('');
}
