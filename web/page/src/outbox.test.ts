import type { Sent } from '@huitouke/api/visitor';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { Refused } from './api';
import { Outbox, type Post } from './outbox';

/** A server that answers as told, one answer per try; it keeps what it was sent, by client id. */
class Server implements Post {
  readonly tries: string[] = [];
  strangers = 0;

  constructor(private readonly answers: (Refused | null)[]) {}

  write(clientId: string, text: string): Promise<Sent> {
    this.tries.push(`${clientId} ${text}`);
    const answer = this.answers.shift() ?? null;
    return answer ? Promise.reject(answer) : Promise.resolve({} as Sent);
  }

  sent(): void {}
  changed(): void {}
  stranger(): void {
    this.strangers += 1;
  }
}

const nobody = new Refused(0, 'network', null);

describe('what a visitor writes', () => {
  beforeEach(() => void vi.useFakeTimers());
  afterEach(() => void vi.useRealTimers());

  it('arrives in the order in which it was written, also when the first has to wait for the network', async () => {
    const server = new Server([nobody, nobody, null, null]);
    const outbox = new Outbox(server);
    outbox.add('a', '1');
    outbox.add('b', '2');
    await vi.advanceTimersByTimeAsync(0);
    expect(outbox.waiting.map((one) => one.state)).toEqual(['queued', 'queued']);
    await vi.advanceTimersByTimeAsync(10_000);
    expect(server.tries).toEqual(['a 1', 'a 1', 'a 1', 'b 2']);
    expect(outbox.waiting).toEqual([]);
  });

  it('is not tried again by itself when it was refused, and holds up nothing', async () => {
    const server = new Server([new Refused(429, 'x', '请稍后'), null, null]);
    const outbox = new Outbox(server);
    outbox.add('a', '1');
    outbox.add('b', '2');
    await vi.advanceTimersByTimeAsync(60_000);
    expect(outbox.waiting).toEqual([{ clientId: 'a', text: '1', state: 'failed', reason: '请稍后' }]);
    outbox.retry('a');
    await vi.advanceTimersByTimeAsync(0);
    expect(server.tries).toEqual(['a 1', 'b 2', 'a 1']);
    expect(outbox.waiting).toEqual([]);
  });

  it('waits for a new visit when the server does not know the visitor', async () => {
    const server = new Server([new Refused(401, 'unauthenticated', null), null]);
    const outbox = new Outbox(server);
    outbox.add('a', '1');
    await vi.advanceTimersByTimeAsync(0);
    expect([server.strangers, outbox.waiting[0]?.state]).toEqual([1, 'queued']);
    outbox.retry();
    await vi.advanceTimersByTimeAsync(0);
    expect(outbox.waiting).toEqual([]);
  });
});
