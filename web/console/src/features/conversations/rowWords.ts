import type { ConversationRow, ConversationView } from '@huitouke/api';

const HOUR_MS = 3_600_000;
/** The window is worth a chip when this little is left of it. */
const FEW_MESSAGES = 2;
const FEW_HOURS = 6;

/** Beyond this many messages the channel has hardly a limit, and there is nothing to count. */
export const MANY_MESSAGES = 100;

export type RowChip = 'waiting' | 'servicer' | 'colleague' | 'mine' | 'over' | 'few' | 'soon';

export function isWaiting(row: ConversationRow): boolean {
  return row.state === 'open' && row.handler === 'agent' && row.staff === null;
}

export function isPaused(row: Pick<ConversationRow, 'assistant_paused_until'>, now: number): boolean {
  return row.assistant_paused_until !== null && Date.parse(row.assistant_paused_until) > now;
}

/** What is left of the channel's window, when it is running out; null when there is nothing to say. */
function windowChip(row: ConversationRow, now: number): RowChip | null {
  if (!row.window_expires_at) return null;
  const left = Date.parse(row.window_expires_at) - now;
  if (left <= 0) return 'over';
  if (row.window_left <= FEW_MESSAGES) return 'few';
  return left < FEW_HOURS * HOUR_MS ? 'soon' : null;
}

/** The third line of a row: only what a person should know before opening it. */
export function rowChips(row: ConversationRow, view: ConversationView, staffId: string | null, now: number): RowChip[] {
  if (row.state !== 'open') return [];
  if (row.handler === 'servicer') return ['servicer'];
  if (row.handler === 'assistant') return [];
  const chips: RowChip[] = [];
  if (isWaiting(row)) chips.push('waiting');
  else if (row.staff?.id !== staffId) chips.push('colleague');
  else if (view !== 'mine') chips.push('mine');
  const window = windowChip(row, now);
  if (window) chips.push(window);
  return chips;
}
