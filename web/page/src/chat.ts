import type { Sent, Visit } from '@huitouke/api/visitor';
import { Refused, type Api } from './api';
import { newClientId, type Store } from './kept';
import { Live } from './live';
import { applied, EMPTY, isAnswering, unsent, withMessages, type Log } from './log';
import { Outbox } from './outbox';

const LONGEST_ANSWER_MS = 25_000;
/** A line that breaks and is back at once is nobody's concern. */
const DOWN_MS = 1_500;
const AGAIN_MS = 4_000;

const STRANGERS = 3;
/** Kind of refusal: the browser keeps no cookie of ours. */
export const COOKIES = 'cookies';

export type Line = 'up' | 'down' | 'offline';

/** The chat of one page: what it knows, and what is done with it. Draws nothing; tells when there is something new. */
export class Chat {
  log: Log = EMPTY;
  visit: Visit | null = null;
  hasMore = false;
  line: Line = 'up';
  /** Why there is no chat to show; `null` while there is one, or while we try. */
  refused: Refused | null = null;
  private readonly live: Live;
  private readonly outbox: Outbox;
  private wroteAt = 0;
  private timer = 0;
  private downTimer = 0;
  private beginning = false;
  private strangers = 0;

  constructor(
    private readonly api: Api,
    private readonly store: Store,
    private readonly redraw: () => void,
  ) {
    this.live = new Live(() => api.connect(), {
      change: (seq, change) => this.update(applied(this.log, seq, change)),
      afresh: () => void this.begin(),
      line: (up) => this.lineIs(up),
      missing: () => void this.catchUp(),
    });
    this.outbox = new Outbox({
      write: (clientId, text) => api.write(clientId, text),
      sent: (sent) => this.sent(sent),
      stranger: () => this.stranger(),
      changed: () => this.keep(),
    });
  }

  get pending() {
    return unsent(this.outbox.waiting, this.log);
  }

  get answering(): boolean {
    return this.visit?.page.assistant === true && isAnswering(this.log, Date.now() - this.wroteAt, LONGEST_ANSWER_MS);
  }

  /** Opens the page, or opens it again when what we had can't be continued. */
  async begin(): Promise<void> {
    if (this.beginning) return;
    this.beginning = true;
    clearTimeout(this.timer);
    try {
      const visit = await this.api.visit();
      this.begun(visit);
    } catch (error) {
      this.failed(error);
    } finally {
      this.beginning = false;
      this.redraw();
    }
  }

  write(text: string): void {
    this.wroteAt = Date.now();
    this.outbox.add(newClientId(), text);
  }

  retry(clientId: string): void {
    this.wroteAt = Date.now();
    this.outbox.retry(clientId);
  }

  async earlier(): Promise<void> {
    const first = this.log.messages[0];
    if (!first) return;
    const older = await this.api.before(first.seq);
    this.hasMore = older.has_more;
    this.update(withMessages(this.log, older.items));
  }

  /** Somebody looks at the page again, or (`anew`) the network is back, whose old lines are dead. */
  hurry(anew = false): void {
    if (anew && this.line === 'offline') this.line = 'up';
    if (this.refused?.passing) void this.begin();
    this.live.hurry(anew);
    this.outbox.retry();
  }

  offline(): void {
    this.line = 'offline';
    this.redraw();
  }

  keep(draft = this.store.read().draft): void {
    this.store.write(draft, this.outbox.waiting);
    this.redraw();
  }

  private begun(visit: Visit): void {
    const first = this.visit === null;
    this.visit = visit;
    this.refused = null;
    this.hasMore = visit.has_more;
    this.log = withMessages({ chat: visit.chat, messages: [], seq: visit.chat?.seq ?? 0 }, visit.messages);
    if (visit.chat) this.live.start(visit.chat.id, () => this.log.seq);
    else this.live.stop();
    if (first) for (const one of this.store.read().pending) this.outbox.add(one.clientId, one.text);
    else this.outbox.retry();
  }

  /** The server doesn't know us. A new visit helps once; where it never does, cookies don't come back. */
  private stranger(): void {
    this.strangers += 1;
    if (this.strangers < STRANGERS) void this.begin();
    else this.refused = new Refused(401, COOKIES, null);
  }

  private failed(error: unknown): void {
    if (!(error instanceof Refused)) throw error;
    if (!error.passing) this.live.stop();
    if (!error.passing || this.visit === null) this.refused = error;
    if (error.passing) this.timer = setTimeout(() => void this.begin(), AGAIN_MS);
  }

  private sent(sent: Sent): void {
    this.strangers = 0;
    if (this.log.chat === null) {
      // Another tab of the same visitor may have begun: everything from the beginning is asked for.
      this.log = { ...withMessages(this.log, [sent.message]), chat: sent.chat, seq: 0 };
      this.live.start(sent.chat.id, () => this.log.seq);
    } else {
      this.log = withMessages(this.log, [sent.message]);
    }
    setTimeout(() => this.redraw(), LONGEST_ANSWER_MS);
    this.redraw();
  }

  private async catchUp(): Promise<void> {
    try {
      const missed = await this.api.after(this.log.seq);
      if (missed.has_more || !missed.chat) return void this.begin();
      const seq = Math.max(this.log.seq, missed.chat.seq);
      this.update({ ...withMessages(this.log, missed.items), chat: missed.chat, seq });
    } catch (error) {
      if (!(error instanceof Refused)) throw error;
      if (!error.passing) await this.begin();
    }
  }

  private lineIs(up: boolean): void {
    clearTimeout(this.downTimer);
    if (up) {
      this.line = 'up';
      this.redraw();
    } else {
      this.downTimer = setTimeout(() => {
        if (this.line === 'up') this.line = 'down';
        this.redraw();
      }, DOWN_MS);
    }
  }

  private update(log: Log): void {
    this.log = log;
    this.redraw();
  }
}
