import type { ConversationRow, ConversationView } from '@huitouke/api';
import type { Paged } from '@/app/data/paged';
import type { InboxFilter } from './queries';

/** Whether a conversation belongs into a view; the same rule as the server's. */
export function fits(row: ConversationRow, view: ConversationView, staffId: string | null): boolean {
  const open = row.state === 'open';
  switch (view) {
    case 'all':
      return open;
    case 'mine':
      return open && row.handler === 'agent' && row.staff !== null && row.staff.id === staffId;
    case 'waiting':
      return open && row.handler !== 'servicer' && row.staff === null && row.waiting_since !== null;
    case 'assistant':
      return open && row.handler === 'assistant';
    case 'closed':
      return !open;
  }
}

/** Negative when `one` stands before `other`. */
export function compare(one: ConversationRow, other: ConversationRow, sort: InboxFilter['sort']): number {
  if (sort === 'waiting') {
    const byWaiting = (one.waiting_since ?? '9').localeCompare(other.waiting_since ?? '9');
    if (byWaiting) return byWaiting;
    return one.id.localeCompare(other.id);
  }
  const byTime = (other.last_message_at ?? '').localeCompare(one.last_message_at ?? '');
  return byTime || other.id.localeCompare(one.id);
}

/**
 * The list as the server would give it after `row` changed: moved, put in, taken out. A row that belongs
 * below what is loaded is left for the next page. An older state of the row changes nothing.
 */
export function place(list: Paged<ConversationRow>, row: ConversationRow, filter: InboxFilter, staffId: string | null): Paged<ConversationRow> {
  const known = list.pages.flatMap((page) => page.items).find((item) => item.id === row.id);
  if (known && known.seq > row.seq) return list;
  const pages = list.pages.map((page) => ({ ...page, items: page.items.filter((item) => item.id !== row.id) }));
  const belongs = fits(row, filter.view, staffId) && (!filter.account || row.channel_account.id === filter.account);
  if (!belongs) return known ? { ...list, pages } : list;

  for (const page of pages) {
    const at = page.items.findIndex((item) => compare(row, item, filter.sort) < 0);
    if (at >= 0) {
      page.items.splice(at, 0, row);
      return { ...list, pages };
    }
  }
  const last = pages.at(-1);
  if (last && !last.next_cursor) last.items.push(row);
  return { ...list, pages };
}
