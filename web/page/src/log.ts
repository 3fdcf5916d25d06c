import type { Chat, VisitorMessage } from '@huitouke/api/visitor';

/** What was said, and how far we know it. */
export interface Log {
  chat: Chat | null;
  /** In the order in which they were said. */
  messages: VisitorMessage[];
  /** The highest number that has been applied. */
  seq: number;
}

export type Change = { kind: 'message'; message: VisitorMessage } | { kind: 'chat'; chat: Chat };

export const EMPTY: Log = { chat: null, messages: [], seq: 0 };

/** With these messages, of each the newest state. */
export function withMessages(log: Log, news: readonly VisitorMessage[]): Log {
  const byId = new Map(log.messages.map((one) => [one.id, one]));
  for (const one of news) {
    const known = byId.get(one.id);
    if (!known || known.changed_seq <= one.changed_seq) byId.set(one.id, one);
  }
  return { ...log, messages: [...byId.values()].sort((one, other) => one.seq - other.seq) };
}

/** After a numbered change; one that has been applied changes nothing. */
export function applied(log: Log, seq: number, change: Change): Log {
  if (seq <= log.seq) return log;
  const next = change.kind === 'message' ? withMessages(log, [change.message]) : { ...log, chat: change.chat };
  return { ...next, seq };
}

/** A message that the visitor wrote and that is not in the log yet. */
export interface Pending {
  clientId: string;
  text: string;
  state: 'sending' | 'queued' | 'failed';
  /** Why it failed, for people. */
  reason?: string;
}

/** Those that are not in the log yet: what has arrived is shown once, whichever way we heard of it. */
export function unsent(pending: readonly Pending[], log: Log): Pending[] {
  const arrived = new Set(log.messages.map((one) => one.client_id));
  return pending.filter((one) => !arrived.has(one.clientId));
}

const BREAK_MS = 5 * 60_000;

/** Whether the time is said before this message: it is the first, or a while after the one before. */
export function timeBefore(message: VisitorMessage, earlier: VisitorMessage | undefined): boolean {
  return !earlier || Date.parse(message.sent_at) - Date.parse(earlier.sent_at) > BREAK_MS;
}

/** Whether the visitor waits for the machine right now. */
export function isAnswering(log: Log, sinceMs: number, longestMs: number): boolean {
  const last = log.messages[log.messages.length - 1];
  return last?.by === 'visitor' && log.chat !== null && !log.chat.with_person && !log.chat.waiting && sinceMs < longestMs;
}
