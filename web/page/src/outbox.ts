import type { Sent } from '@huitouke/api/visitor';
import { Refused } from './api';
import type { Pending } from './log';

const PAUSE_MS = 3_000;

export interface Post {
  write(clientId: string, text: string): Promise<Sent>;
  sent(sent: Sent): void;
  /** Somebody else is needed: the visitor isn't known any more. */
  stranger(): void;
  changed(): void;
}

/** Sends what was written, one after the other, so that it arrives in the order in which it was written. */
export class Outbox {
  waiting: Pending[] = [];
  private busy = false;
  private timer = 0;

  constructor(private readonly post: Post) {}

  add(clientId: string, text: string): void {
    this.waiting = [...this.waiting, { clientId, text, state: 'sending' }];
    this.go();
  }

  /** Tries again what failed, or what waits for the network. */
  retry(clientId?: string): void {
    this.waiting = this.waiting.map((one) =>
      one.clientId === clientId || one.state === 'queued' ? { ...one, state: 'sending', reason: undefined } : one,
    );
    this.go();
  }

  go(): void {
    clearTimeout(this.timer);
    this.post.changed();
    void this.work();
  }

  private async work(): Promise<void> {
    if (this.busy) return;
    this.busy = true;
    for (let next = this.next(); next; next = this.next()) {
      if (!(await this.send(next))) break;
    }
    this.busy = false;
    this.post.changed();
  }

  private next(): Pending | undefined {
    return this.waiting.find((one) => one.state === 'sending');
  }

  /** Whether the next one may follow. */
  private async send(one: Pending): Promise<boolean> {
    try {
      const sent = await this.post.write(one.clientId, one.text);
      this.waiting = this.waiting.filter((other) => other.clientId !== one.clientId);
      this.post.sent(sent);
      return true;
    } catch (error) {
      if (!(error instanceof Refused)) throw error;
      if (error.status === 401) {
        this.set((other) => other.state === 'sending', 'queued');
        this.post.stranger();
        return false;
      }
      if (error.passing) {
        this.set((other) => other.state === 'sending', 'queued');
        this.timer = setTimeout(() => this.retry(), PAUSE_MS);
        return false;
      }
      this.set((other) => other.clientId === one.clientId, 'failed', error.sentence ?? undefined);
      return true;
    }
  }

  private set(which: (one: Pending) => boolean, state: Pending['state'], reason?: string): void {
    this.waiting = this.waiting.map((one) => (which(one) ? { ...one, state, reason } : one));
  }
}
