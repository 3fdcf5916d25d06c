import type { Message, MessagePage } from '@huitouke/api';
import type { InfiniteData } from '@tanstack/vue-query';

export type Thread = InfiniteData<MessagePage, number | null>;

/** All loaded messages, oldest first. */
export function messagesOf(thread: Thread | undefined): Message[] {
  return thread ? [...thread.pages].reverse().flatMap((page) => page.items) : [];
}

/**
 * The thread with one message in its present state: replaced, put at its number, or left out when it is
 * older than what is loaded (the next older page brings it). An older state changes nothing.
 */
export function putMessage(thread: Thread, message: Message): Thread {
  let found = false;
  const replaced = thread.pages.map((page) => {
    const at = page.items.findIndex((item) => item.id === message.id);
    if (at < 0) return page;
    found = true;
    if ((page.items[at]?.changed_seq ?? 0) > message.changed_seq) return page;
    return { ...page, items: page.items.with(at, message) };
  });
  if (found) return { ...thread, pages: replaced };

  // Newest page first: the message belongs to the first page that begins before it.
  const target = replaced.findIndex((page, index) => {
    const first = page.items[0];
    const oldest = index === replaced.length - 1 && !page.has_more;
    return oldest || (first !== undefined && first.seq < message.seq);
  });
  if (target < 0) return thread;
  const pages = replaced.map((page, index) => (index === target ? { ...page, items: inserted(page.items, message) } : page));
  return { ...thread, pages };
}

function inserted(items: readonly Message[], message: Message): Message[] {
  const after = items.findIndex((item) => item.seq > message.seq);
  return after < 0 ? [...items, message] : items.toSpliced(after, 0, message);
}

/** The highest number that surely is in what was loaded: from there on the socket has to tell us. */
export function knownSeq(thread: Thread, detailSeq: number): number {
  const loaded = messagesOf(thread).reduce((highest, message) => Math.max(highest, message.changed_seq), 0);
  return Math.min(loaded, detailSeq);
}
