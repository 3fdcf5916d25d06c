import type { Change } from './log';

/** Heartbeats come every 20 s; after two and a half the line is dead, whatever the phone says. */
const SILENCE_MS = 50_000;
/** A phone that slept may hold a line that is dead: what was silent for so long is not trusted. */
const STALE_MS = 25_000;
const FIRST_PAUSE_MS = 500;
const LONGEST_PAUSE_MS = 20_000;
const NOT_OURS = 4401;

type Frame =
  | { type: 'frame'; id: string; seq: number; data: Change }
  | { type: 'heartbeat'; heads: Record<string, number> }
  | { type: 'reset' | 'error' | 'hello' };

export interface Listener {
  change(seq: number, change: Change): void;
  /** The chat has to be fetched afresh: too much is missing, or we may not see it any more. */
  afresh(): void;
  /** The line is there, or not. */
  line(up: boolean): void;
  /** The line is down: whatever is new can be fetched meanwhile. */
  missing(): void;
}

/** The live line of one chat: from the number that we have, again and again, until `stop`. */
export class Live {
  private socket: WebSocket | null = null;
  private attempt = 0;
  private timer = 0;
  private silence = 0;
  private heardAt = 0;
  private seq: () => number = () => 0;
  private id = '';

  constructor(
    private readonly connect: () => WebSocket,
    private readonly listener: Listener,
  ) {}

  start(id: string, seq: () => number): void {
    this.stop();
    this.id = id;
    this.seq = seq;
    this.dial();
  }

  stop(): void {
    clearTimeout(this.timer);
    this.hangUp();
    this.attempt = 0;
    this.id = '';
  }

  /** Somebody looks at the page again: don't wait out the pause. With `anew` not even a line that seems to live is kept. */
  hurry(anew: boolean): void {
    if (!this.id) return;
    if (anew || Date.now() - this.heardAt > STALE_MS) this.hangUp();
    if (this.socket) return;
    clearTimeout(this.timer);
    this.attempt = 0;
    this.dial();
  }

  private dial(): void {
    const socket = this.connect();
    this.socket = socket;
    this.listen();
    socket.onopen = () => this.ask(socket);
    socket.onmessage = (event: MessageEvent<string>) => {
      if (socket === this.socket) this.hear(socket, JSON.parse(event.data) as Frame);
    };
    socket.onclose = (event) => {
      if (socket === this.socket) this.lost(event.code);
    };
  }

  private ask(socket: WebSocket): void {
    if (socket === this.socket) socket.send(JSON.stringify({ type: 'open', stream: 'chat', streams: { [this.id]: this.seq() } }));
  }

  private hear(socket: WebSocket, frame: Frame): void {
    this.listen();
    if (frame.type === 'hello') {
      this.attempt = 0;
      this.listener.line(true);
    } else if (frame.type === 'frame') {
      if (frame.id === this.id) this.listener.change(frame.seq, frame.data);
    } else if (frame.type === 'heartbeat') {
      socket.send('{"type":"pong"}');
      if ((frame.heads[this.id] ?? 0) > this.seq()) this.ask(socket);
    } else {
      this.listener.afresh();
    }
  }

  private listen(): void {
    clearTimeout(this.silence);
    this.heardAt = Date.now();
    this.silence = setTimeout(() => this.lost(0), SILENCE_MS);
  }

  private lost(code: number): void {
    this.hangUp();
    this.listener.line(false);
    if (code === NOT_OURS) {
      this.listener.afresh();
      return;
    }
    const whole = Math.min(LONGEST_PAUSE_MS, FIRST_PAUSE_MS * 2 ** this.attempt);
    this.attempt += 1;
    this.timer = setTimeout(
      () => {
        this.listener.missing();
        this.dial();
      },
      whole / 2 + (whole / 2) * Math.random(),
    );
  }

  private hangUp(): void {
    clearTimeout(this.silence);
    const socket = this.socket;
    this.socket = null;
    socket?.close();
  }
}
