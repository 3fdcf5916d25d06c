import { reconnectDelay } from './backoff';
import { PROTOCOL, type ClientFrame, type ServerFrame } from './protocol';

/** Heartbeats come every 20 s; after two and a half of silence the line is dead, whatever TCP says. */
export const SILENCE_MS = 50_000;
/** A hole in the numbers is asked for once, after this long. */
export const HOLE_MS = 400;
/** For this long after asking, frames below the highest seen are taken as its answer. */
export const HOLE_ANSWER_MS = 5_000;

export type LiveState = 'connecting' | 'live' | 'waiting' | 'closed';

export interface LiveHandlers {
  frame(stream: string, id: string, seq: number, data: unknown): void;
  hint(kind: string, id: string | null): void;
  /** Conversations that changed while we were away and are not open. */
  changed(ids: string[]): void;
  /** What was missed is too much or unknown: fetch this one afresh. */
  reset(stream: string, id: string): void;
  /** The line is back after it was lost; `since` could not be asked for when it is null. */
  resumed(since: string | null): void;
  state(state: LiveState): void;
  hello(build: string): void;
}

export interface LiveEnvironment {
  connect(): WebSocket;
  random(): number;
  /** Milliseconds of a clock that never jumps. */
  monotonic(): number;
  setTimeout(run: () => void, milliseconds: number): unknown;
  clearTimeout(timer: unknown): void;
}

interface Open {
  seq: number;
  /** The lowest number after which something is missing, while we wait for it. */
  hole: number | null;
  timer: unknown;
}

/**
 * One socket for the whole page. It keeps, per open stream, the last number seen; delivers frames in
 * the order of their numbers' arrival, drops what is older than seen, asks again when a number is
 * skipped or a heartbeat knows a higher one, and reconnects for ever with back-off.
 */
export class LiveSocket {
  private socket: WebSocket | null = null;
  private readonly streams = new Map<string, Open>();
  private attempt = 0;
  /** The server's clock at its greeting beside ours, and when we last heard anything. */
  private greeted: { now: number; at: number } | null = null;
  private heardAt = 0;
  private silence: unknown = null;
  private retry: unknown = null;
  private stopped = true;
  private everLive = false;

  constructor(
    private readonly environment: LiveEnvironment,
    private readonly handlers: LiveHandlers,
  ) {}

  start(): void {
    if (!this.stopped) return;
    this.stopped = false;
    this.dial();
  }

  stop(): void {
    this.stopped = true;
    this.environment.clearTimeout(this.retry);
    this.hangUp();
    this.everLive = false;
    this.greeted = null;
    this.streams.clear();
    this.handlers.state('closed');
  }

  /** The browser says the network is back: do not wait out the back-off. */
  hurry(): void {
    if (this.stopped || this.socket) return;
    this.environment.clearTimeout(this.retry);
    this.attempt = 0;
    this.dial();
  }

  /** From now on frames of `id` after number `seq` are wanted. */
  open(id: string, seq: number): void {
    const known = this.streams.get(id);
    if (known && known.seq >= seq) return;
    if (known) this.raise(known, seq);
    else this.streams.set(id, { seq, hole: null, timer: null });
    this.declare();
  }

  /** Who follows already may know a later number from elsewhere (the answer to what they sent): what lies between is still on its way. */
  private raise(open: Open, seq: number): void {
    open.hole ??= open.seq;
    open.seq = seq;
    if (open.timer !== null) this.environment.clearTimeout(open.timer);
    open.timer = this.environment.setTimeout(() => (open.hole = null), HOLE_ANSWER_MS);
  }

  /** Starts a stream over, after it was fetched afresh. */
  reopen(id: string, seq: number): void {
    this.forget(id);
    this.open(id, seq);
  }

  close(id: string): void {
    if (this.forget(id)) this.declare();
  }

  private forget(id: string): boolean {
    const known = this.streams.get(id);
    if (known) this.environment.clearTimeout(known.timer);
    return this.streams.delete(id);
  }

  private dial(): void {
    this.handlers.state('connecting');
    const socket = this.environment.connect();
    this.socket = socket;
    this.listenForSilence();
    socket.onmessage = (event: MessageEvent<string>) => {
      if (socket === this.socket) this.receive(JSON.parse(event.data) as ServerFrame);
    };
    socket.onclose = () => {
      if (socket === this.socket) this.lost();
    };
  }

  private lost(): void {
    this.hangUp();
    if (this.stopped) return;
    this.handlers.state('waiting');
    this.retry = this.environment.setTimeout(() => this.dial(), reconnectDelay(this.attempt, this.environment.random));
    this.attempt += 1;
  }

  private hangUp(): void {
    this.environment.clearTimeout(this.silence);
    const socket = this.socket;
    this.socket = null;
    socket?.close();
  }

  private listenForSilence(): void {
    this.environment.clearTimeout(this.silence);
    this.silence = this.environment.setTimeout(() => this.lost(), SILENCE_MS);
  }

  private receive(frame: ServerFrame): void {
    this.listenForSilence();
    const lastHeard = this.lastHeard();
    this.heardAt = this.environment.monotonic();
    switch (frame.type) {
      case 'hello':
        return this.greet(frame, lastHeard);
      case 'frame':
        return this.deliver(frame);
      case 'hint':
        return this.handlers.hint(frame.kind, frame.id ?? null);
      case 'heartbeat':
        return this.compare(frame.heads);
      case 'changed':
        return this.handlers.changed(frame.ids);
      case 'reset':
        this.forget(frame.id);
        return this.handlers.reset(frame.stream, frame.id);
      case 'error':
        return;
    }
  }

  private greet(hello: Extract<ServerFrame, { type: 'hello' }>, since: string | null): void {
    if (hello.protocol !== PROTOCOL) {
      // Another protocol means another build: only a reload helps, which the page offers.
      this.handlers.hello(hello.build);
      return;
    }
    this.attempt = 0;
    this.declare(since);
    this.handlers.state('live');
    this.handlers.hello(hello.build);
    if (this.everLive) this.handlers.resumed(since);
    this.everLive = true;
    this.greeted = { now: Date.parse(hello.now), at: this.heardAt };
  }

  /** The server's time at which we last heard from it, however wrong our own clock is. */
  private lastHeard(): string | null {
    if (!this.greeted) return null;
    return new Date(this.greeted.now + this.heardAt - this.greeted.at).toISOString();
  }

  private deliver(frame: Extract<ServerFrame, { type: 'frame' }>): void {
    const open = this.streams.get(frame.id);
    if (!open || frame.seq < open.seq) {
      // Older than seen: either doubled, or the answer to a hole we asked for.
      if (!open || open.hole === null || frame.seq <= open.hole) return;
    } else {
      if (frame.seq > open.seq + 1 && open.hole === null) this.ask(frame.id, open);
      open.seq = frame.seq;
    }
    this.handlers.frame(frame.stream, frame.id, frame.seq, frame.data);
  }

  /** Numbers may skip rightly (two changes of one message are one frame), so the hole is asked for once. */
  private ask(id: string, open: Open): void {
    open.hole = open.seq;
    open.timer = this.environment.setTimeout(() => {
      if (this.streams.get(id) !== open) return;
      this.declare(null);
      open.timer = this.environment.setTimeout(() => (open.hole = null), HOLE_ANSWER_MS);
    }, HOLE_MS);
  }

  private compare(heads: Record<string, number>): void {
    const behind = [...this.streams].some(([id, open]) => (heads[id] ?? 0) > open.seq);
    if (behind) this.declare();
    this.send({ type: 'pong' });
  }

  private declare(since: string | null = null): void {
    const streams: Record<string, number> = {};
    for (const [id, open] of this.streams) streams[id] = open.hole ?? open.seq;
    this.send({ type: 'open', streams, since });
  }

  private send(frame: ClientFrame): void {
    if (this.socket?.readyState === 1) this.socket.send(JSON.stringify(frame));
  }
}
