/** What stands in a chat from top to bottom: times, messages, and lines that nobody wrote. */
import { SESSION, type Message, type Sender } from '../sandbox/types';

/** Two messages further apart than this have the time between them, as in WeChat. */
export const TIME_GAP_SECONDS = 300;
/** A customer may take a message back this long. */
export const RECALL_SECONDS = 120;

export type Viewer = 'customer' | 'servicer';

/** A message on its way, drawn at once. `error`: it was refused or never arrived. */
export interface Pending {
  key: string;
  message: Message;
  error: string | null;
}

/** A line nobody wrote: the key of its words, and what they speak of. */
export interface Line {
  key: string;
  text: string;
  words?: Record<string, string>;
}

/** A line that stands where it happened, between the messages. */
export interface Happening extends Line {
  at: number;
}

export type Row =
  | { kind: 'time'; key: string; at: number }
  | ({ kind: 'line' } & Line)
  | { kind: 'message'; key: string; message: Message; mine: boolean; sending: boolean; error: string | null };

export function isMine(sender: Sender, viewer: Viewer): boolean {
  return viewer === 'customer' ? sender === 'customer' : sender !== 'customer';
}

export function rows(messages: Message[], pending: Pending[], viewer: Viewer, happenings: Happening[] = []): Row[] {
  const arrived = new Set(messages.map((one) => one.msgid));
  const waiting = pending.filter((one) => !arrived.has(one.message.msgid));
  const found: Row[] = [];
  let previous: number | null = null;
  const later = [...happenings].sort((a, b) => a.at - b.at);
  const happenUntil = (at: number): void => {
    while (later[0] && later[0].at < at) found.push({ kind: 'line', ...(later.shift() as Happening) });
  };
  const add = (message: Message, waits: Pending | null): void => {
    const key = waits?.key ?? message.msgid;
    happenUntil(message.sent_at);
    if (previous === null || message.sent_at - previous > TIME_GAP_SECONDS) found.push({ kind: 'time', key: `time-${key}`, at: message.sent_at });
    previous = message.sent_at;
    const mine = isMine(message.sender, viewer);
    if (message.recalled) found.push({ kind: 'line', key, text: mine ? 'chat.recalled.mine' : 'chat.recalled.theirs' });
    else found.push({ kind: 'message', key, message, mine, sending: waits !== null && waits.error === null, error: waits?.error ?? null });
  };
  for (const message of messages) add(message, null);
  for (const one of waiting) add(one.message, one);
  happenUntil(Infinity);
  return found;
}

/** The line that tells a customer where the session stands; none while the account itself answers. */
export function sessionLine(state: number, messageCount: number): string | null {
  if (state === SESSION.POOL) return 'chat.session.pool';
  if (state === SESSION.EMPLOYEE) return 'chat.session.employee';
  return state === SESSION.ENDED && messageCount > 0 ? 'chat.session.ended' : null;
}

/** `now` by the sandbox's clock, which may have been moved. */
export function mayRecall(message: Message, now: number): boolean {
  return message.sender === 'customer' && !message.recalled && now - message.sent_at <= RECALL_SECONDS;
}

const VOICE_LONGEST_SECONDS = 60;

/** How long a voice bubble is drawn, as a part of the longest: 0 to 1. */
export function voiceLength(seconds: number): number {
  return Math.sqrt(Math.min(Math.max(seconds, 1), VOICE_LONGEST_SECONDS) / VOICE_LONGEST_SECONDS);
}
