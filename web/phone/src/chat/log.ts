/** The messages of one chat as this page holds them, and how notices of the stream bring them up to date. */
import type { Message, MessagePage, Notice } from '../sandbox/types';

export interface ChatKey {
  open_kfid: string;
  external_userid: string;
}

/** Oldest first, each once. `hasOlder`: the sandbox keeps older ones than the first. */
export interface ChatLog {
  items: Message[];
  hasOlder: boolean;
}

/** Where the messages of a chat come from; the phone and the desk ask different addresses. */
export interface ChatSource {
  newest: () => Promise<MessagePage>;
  newer: (after: number) => Promise<MessagePage>;
  older: (before: number) => Promise<MessagePage>;
  one: (msgid: string) => Promise<Message>;
  /** Whether this side may see the message: a failed one never reached the phone. */
  visible: (message: Message) => boolean;
}

export function lastSeq(log: ChatLog): number {
  return log.items.at(-1)?.seq ?? 0;
}

/** Takes messages in: new ones at their place, known ones in their newest form. */
export function merge(log: ChatLog, incoming: Message[], hasOlder = log.hasOlder): ChatLog {
  const known = new Map(log.items.map((one) => [one.msgid, one]));
  for (const message of incoming) known.set(message.msgid, message);
  return { items: [...known.values()].sort((a, b) => a.seq - b.seq), hasOlder };
}

export interface Plan {
  /** Fetch the whole page again. */
  all: boolean;
  /** Fetch what came after the last message held. */
  newer: boolean;
  /** Fetch these again, they changed. */
  changed: string[];
}

/** What a batch of notices asks for in this chat. */
export function plan(log: ChatLog, notices: Notice[], key: ChatKey): Plan {
  const wanted: Plan = { all: false, newer: false, changed: [] };
  const last = lastSeq(log);
  const held = new Set(log.items.map((one) => one.msgid));
  for (const notice of notices) {
    if (notice.kind === 'reset') wanted.all = true;
    if (notice.kind !== 'message' || notice.open_kfid !== key.open_kfid || notice.external_userid !== key.external_userid) continue;
    if ((notice.seq ?? 0) > last) wanted.newer = true;
    else if (notice.msgid && held.has(notice.msgid) && !wanted.changed.includes(notice.msgid)) wanted.changed.push(notice.msgid);
  }
  return wanted;
}

/** The log after the notices; equal to the log fetched afresh, apart from older messages already loaded. */
export async function follow(log: ChatLog, notices: Notice[], key: ChatKey, source: ChatSource): Promise<ChatLog> {
  const wanted = plan(log, notices, key);
  if (wanted.all) return fresh(await source.newest());
  let next = log;
  for (let more = wanted.newer; more; ) {
    const page = await source.newer(lastSeq(next));
    next = merge(next, page.items);
    more = page.has_more && page.items.length > 0;
  }
  if (wanted.changed.length > 0) {
    const changed = await Promise.all(wanted.changed.map(source.one));
    const gone = new Set(changed.filter((one) => !source.visible(one)).map((one) => one.msgid));
    next = merge(next, changed);
    next = { ...next, items: next.items.filter((one) => !gone.has(one.msgid)) };
  }
  return next;
}

export function fresh(page: MessagePage): ChatLog {
  return { items: page.items, hasOlder: page.has_more };
}
