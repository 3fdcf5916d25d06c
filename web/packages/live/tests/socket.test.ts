import { beforeEach, describe, expect, it } from 'vitest';
import { HOLE_MS, LiveSocket, reconnectDelay, SILENCE_MS, type ClientFrame, type LiveState, type ServerFrame } from '../src/index';

/** A line whose other end the test holds, and a clock that only the test moves. */
class World {
  now = 0;
  timers: { at: number; run: () => void; id: number }[] = [];
  lines: Line[] = [];
  seen: string[] = [];
  states: LiveState[] = [];
  builds: string[] = [];
  socket: LiveSocket;
  private last = 0;

  constructor() {
    this.socket = new LiveSocket(
      {
        connect: () => {
          const line = new Line();
          this.lines.push(line);
          return line as unknown as WebSocket;
        },
        random: () => 1,
        monotonic: () => this.now,
        setTimeout: (run, milliseconds) => {
          const id = ++this.last;
          this.timers.push({ at: this.now + milliseconds, run, id });
          return id;
        },
        clearTimeout: (id) => (this.timers = this.timers.filter((timer) => timer.id !== id)),
      },
      {
        frame: (stream, id, seq) => this.seen.push(`${stream} ${id} ${seq}`),
        hint: (kind, id) => this.seen.push(`hint ${kind} ${id}`),
        changed: (ids) => this.seen.push(`changed ${ids.join(',')}`),
        reset: (stream, id) => this.seen.push(`reset ${stream} ${id}`),
        resumed: (since) => this.seen.push(`resumed ${since}`),
        state: (state) => this.states.push(state),
        hello: (build) => this.builds.push(build),
      },
    );
  }

  get line(): Line {
    return this.lines.at(-1)!;
  }

  connect(now = '2026-11-21T10:00:00.000Z'): void {
    this.line.readyState = 1;
    this.line.give({ type: 'hello', protocol: 1, build: 'a', now });
  }

  advance(milliseconds: number): void {
    const until = this.now + milliseconds;
    for (;;) {
      const next = this.timers.filter((timer) => timer.at <= until).sort((a, b) => a.at - b.at)[0];
      if (!next) break;
      this.now = next.at;
      this.timers = this.timers.filter((timer) => timer !== next);
      next.run();
    }
    this.now = until;
  }
}

class Line {
  readyState = 0;
  sent: ClientFrame[] = [];
  onmessage: ((event: { data: string }) => void) | null = null;
  onclose: (() => void) | null = null;
  send(text: string): void {
    this.sent.push(JSON.parse(text) as ClientFrame);
  }
  close(): void {
    this.readyState = 3;
    this.onclose?.();
  }
  give(frame: ServerFrame): void {
    this.onmessage?.({ data: JSON.stringify(frame) });
  }
  frame(id: string, seq: number): void {
    this.give({ type: 'frame', stream: 'conversation', id, seq, data: {} });
  }
}

let world: World;
beforeEach(() => {
  world = new World();
  world.socket.start();
  world.connect();
});

describe('frames', () => {
  it('of a stream that is open are delivered in order', () => {
    world.socket.open('c', 4);
    world.line.frame('c', 5);
    world.line.frame('c', 6);
    expect(world.seen).toEqual(['conversation c 5', 'conversation c 6']);
  });

  it('of a stream nobody looks at are dropped', () => {
    world.line.frame('c', 5);
    expect(world.seen).toEqual([]);
  });

  it('that come twice are delivered once when a newer one was seen', () => {
    world.socket.open('c', 4);
    world.line.frame('c', 6);
    world.line.frame('c', 3);
    expect(world.seen).toEqual(['conversation c 6']);
  });

  it('that skip numbers are shown, and what was skipped is asked for once', () => {
    world.socket.open('c', 4);
    world.line.frame('c', 7);
    world.advance(HOLE_MS);
    expect(world.line.sent.at(-1)).toEqual({ type: 'open', streams: { c: 4 }, since: null });
    const asked = world.line.sent.length;
    world.line.frame('c', 5);
    world.line.frame('c', 6);
    expect(world.seen).toEqual(['conversation c 7', 'conversation c 5', 'conversation c 6']);
    world.advance(HOLE_MS * 3);
    expect(world.line.sent.length).toBe(asked);
  });
});

describe('a lost line', () => {
  it('comes back by itself and asks for what is missing since the last word of the server', () => {
    world.socket.open('c', 4);
    world.line.frame('c', 5);
    world.advance(12_000);
    world.line.give({ type: 'heartbeat', heads: {} });
    world.line.close();
    expect(world.states.at(-1)).toBe('waiting');
    world.advance(reconnectDelay(0, () => 1));
    world.connect('2026-11-21T10:01:00.000Z');
    expect(world.line.sent[0]).toEqual({ type: 'open', streams: { c: 5 }, since: '2026-11-21T10:00:12.000Z' });
    expect(world.seen).toContain('resumed 2026-11-21T10:00:12.000Z');
    expect(world.states.at(-1)).toBe('live');
  });

  it('is noticed by silence, when nobody closes it', () => {
    world.advance(SILENCE_MS);
    expect(world.states.at(-1)).toBe('waiting');
    expect(world.line.readyState).toBe(3);
  });

  it('is dialled more and more slowly, and at once when the network is back', () => {
    world.line.close();
    world.advance(500);
    world.line.close();
    world.advance(999);
    expect(world.lines.length).toBe(2);
    world.socket.hurry();
    expect(world.lines.length).toBe(3);
  });

  it('is not dialled again after leaving', () => {
    world.socket.stop();
    world.advance(120_000);
    expect(world.lines.length).toBe(1);
    expect(world.states.at(-1)).toBe('closed');
  });
});

describe('the heartbeat', () => {
  it('is answered', () => {
    world.line.give({ type: 'heartbeat', heads: {} });
    expect(world.line.sent.at(-1)).toEqual({ type: 'pong' });
  });

  it('that knows a higher number makes us ask again', () => {
    world.socket.open('c', 4);
    world.line.give({ type: 'heartbeat', heads: { c: 9 } });
    expect(world.line.sent.at(-2)).toEqual({ type: 'open', streams: { c: 4 }, since: null });
  });
});

it('a later number that is known from elsewhere swallows nothing that is still on its way', () => {
  world.socket.open('c', 4);
  world.socket.open('c', 6);
  expect(world.line.sent.at(-1)).toEqual({ type: 'open', streams: { c: 4 }, since: null });
  world.line.frame('c', 5);
  expect(world.seen).toEqual(['conversation c 5']);
});

it('a reset forgets the stream, so that it begins where the fresh copy ends', () => {
  world.socket.open('c', 4);
  world.line.give({ type: 'reset', stream: 'conversation', id: 'c' });
  expect(world.seen).toEqual(['reset conversation c']);
  world.socket.open('c', 600);
  expect(world.line.sent.at(-1)).toEqual({ type: 'open', streams: { c: 600 }, since: null });
});

it('hints and changed conversations go through as they are', () => {
  world.line.give({ type: 'hint', kind: 'inbox', id: 'c' });
  world.line.give({ type: 'changed', ids: ['a', 'b'] });
  expect(world.seen).toEqual(['hint inbox c', 'changed a,b']);
});

it('the wait doubles from half a second to half a minute', () => {
  const longest = [0, 1, 2, 6, 20].map((attempt) => reconnectDelay(attempt, () => 1));
  expect(longest).toEqual([500, 1_000, 2_000, 30_000, 30_000]);
  expect(reconnectDelay(3, () => 0)).toBe(2_000);
});
