import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { Live, type Listener } from './live';
import type { Change } from './log';

/** A line that the test plays the other end of. */
class Line {
  static all: Line[] = [];
  readonly sent: unknown[] = [];
  closed = false;
  onopen: (() => void) | null = null;
  onmessage: ((event: { data: string }) => void) | null = null;
  onclose: ((event: { code: number }) => void) | null = null;

  constructor() {
    Line.all.push(this);
  }

  send(text: string): void {
    this.sent.push(JSON.parse(text));
  }

  close(): void {
    this.closed = true;
  }

  says(frame: object): void {
    this.onmessage?.({ data: JSON.stringify(frame) });
  }

  opens(): void {
    this.onopen?.();
    this.says({ type: 'hello' });
  }
}

const last = (): Line => Line.all[Line.all.length - 1] as Line;

function begin() {
  const heard: string[] = [];
  const known = { seq: 4 };
  const listener: Listener = {
    change: (seq: number, _change: Change) => {
      known.seq = seq;
      heard.push(`change ${seq}`);
    },
    afresh: () => heard.push('afresh'),
    line: (up) => heard.push(up ? 'up' : 'down'),
    missing: () => heard.push('missing'),
  };
  const live = new Live(() => new Line() as unknown as WebSocket, listener);
  live.start('c', () => known.seq);
  last().opens();
  return { live, heard, known };
}

describe('the live line', () => {
  beforeEach(() => {
    vi.useFakeTimers();
    Line.all = [];
  });
  afterEach(() => void vi.useRealTimers());

  it('asks for what comes after the number that the page has', () => {
    begin();
    expect(last().sent).toEqual([{ type: 'open', stream: 'chat', streams: { c: 4 } }]);
  });

  it('comes back by itself after a drop, asks what was missed meanwhile, and goes on from the newest number', async () => {
    const { heard } = begin();
    last().says({ type: 'frame', id: 'c', seq: 7, data: {} });
    last().onclose?.({ code: 1006 });
    await vi.advanceTimersByTimeAsync(1_000);
    last().opens();
    expect(heard).toEqual(['up', 'change 7', 'down', 'missing', 'up']);
    expect(last().sent).toEqual([{ type: 'open', stream: 'chat', streams: { c: 7 } }]);
  });

  it('is dead after long silence, whatever the phone says', async () => {
    const { heard } = begin();
    await vi.advanceTimersByTimeAsync(51_000);
    expect([heard, Line.all[0]?.closed, Line.all.length]).toEqual([['up', 'down', 'missing'], true, 2]);
  });

  it('answers heartbeats, and asks again when one knows a higher number', () => {
    begin();
    last().says({ type: 'heartbeat', heads: { c: 4 } });
    last().says({ type: 'heartbeat', heads: { c: 9 } });
    expect(last().sent.slice(1)).toEqual([{ type: 'pong' }, { type: 'pong' }, { type: 'open', stream: 'chat', streams: { c: 4 } }]);
  });

  it('begins afresh when too much is missing, and when the visitor is not known any more', () => {
    const { heard } = begin();
    last().says({ type: 'reset', id: 'c' });
    last().onclose?.({ code: 4401 });
    expect(heard).toEqual(['up', 'afresh', 'down', 'afresh']);
    expect(Line.all).toHaveLength(1);
  });

  it('is made anew when the network is back, and when the phone slept', async () => {
    const { live } = begin();
    live.hurry(false);
    expect(Line.all).toHaveLength(1);
    live.hurry(true);
    expect([Line.all.length, Line.all[0]?.closed]).toEqual([2, true]);
    last().opens();
    vi.setSystemTime(Date.now() + 30_000);
    live.hurry(false);
    expect(Line.all).toHaveLength(3);
  });
});
