import type { AddressBook } from '@huitouke/api';

type Tone = 'info' | 'warning' | 'danger' | 'success';

/** How the state of the address book looks: what a person has to do stands out. */
export function bookTone(book: AddressBook | null): Tone {
  if (!book) return 'info';
  if (book.state === 'failed') return 'danger';
  if (book.state === 'asking' || book.state === 'waiting') return 'warning';
  return book.state === 'idle' ? 'success' : 'info';
}

/** The steps of connecting, and how far each is. */
export type BookStep = 'app' | 'contacts' | 'callback';

/** 通讯录同步 is a choice: without it the first step alone is done. */
export function bookSteps(book: AddressBook | null): Record<BookStep, 'done' | 'open' | 'locked'> {
  if (!book) return { app: 'open', contacts: 'locked', callback: 'locked' };
  if (!book.contacts) return { app: 'done', contacts: 'open', callback: 'locked' };
  return { app: 'done', contacts: 'done', callback: book.contacts.heard_at ? 'done' : 'open' };
}
