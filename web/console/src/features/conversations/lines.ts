import type { Message } from '@huitouke/api';

/** A message as the thread draws it: beside what. */
export interface Line {
  message: Message;
  /** The moment whose day begins here, to be written above; null within a day. */
  day: string | null;
  /** Several messages of one person in a row show the person once. */
  follows: boolean;
  /** A time stands under the last of several messages of the same minute. */
  closes: boolean;
}

/** Lines that are drawn, or left out of the page, together. */
export interface LineGroup {
  id: number;
  lines: Line[];
}

/** Messages of one group have numbers between two multiples of this, so that older ones never move the others. */
const GROUP_SEQS = 50;

export function linesOf(messages: readonly Message[], dayOf: (iso: string) => string): Line[] {
  const days = new Map<string, string>();
  /** Formatting a date costs more than everything else here: once per hour in which something was said. */
  const day = (iso: string): string => {
    const hour = iso.slice(0, 13);
    const known = days.get(hour) ?? dayOf(iso);
    days.set(hour, known);
    return known;
  };
  const lines = messages.map((message, index): Line => {
    const before = messages[index - 1];
    const begins = !before || day(before.sent_at) !== day(message.sent_at);
    const follows = !begins && message.sender_kind === before.sender_kind && message.sender?.id === before.sender?.id && before.msgtype !== 'event';
    return { message, day: begins ? message.sent_at : null, follows, closes: true };
  });
  for (const [index, line] of lines.entries()) {
    const next = lines[index + 1];
    line.closes = !next?.follows || next.message.msgtype === 'event' || line.message.sent_at.slice(0, 16) !== next.message.sent_at.slice(0, 16);
  }
  return lines;
}

export function groupsOf(lines: readonly Line[]): LineGroup[] {
  const groups: LineGroup[] = [];
  for (const line of lines) {
    const id = Math.floor(line.message.seq / GROUP_SEQS);
    const last = groups.at(-1);
    if (last?.id === id) last.lines.push(line);
    else groups.push({ id, lines: [line] });
  }
  return groups;
}
