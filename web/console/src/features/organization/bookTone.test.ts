import type { AddressBook } from '@huitouke/api';
import { describe, expect, it } from 'vitest';
import { bookSteps, bookTone } from './bookTone';

const book = (more: Partial<AddressBook> = {}): AddressBook => ({
  wecom_app_id: '1', wecom_app_name: '回头客', contacts: null, state: 'idle', phase: null, done: 0, total: 0, percent: 100, leaving: null, problem: null, due_at: null, last: null, ...more,
});
const contacts = { callback_url: 'https://shop.example/callbacks/wecom/1', callback_token: 't', callback_aes_key: 'k', heard_at: null };

describe('the address book', () => {
  it('stands out where a person has to do something', () => {
    expect(bookTone(null)).toBe('info');
    expect(bookTone(book({ state: 'running' }))).toBe('info');
    expect(bookTone(book({ state: 'asking' }))).toBe('warning');
    expect(bookTone(book({ state: 'waiting' }))).toBe('warning');
    expect(bookTone(book({ state: 'failed' }))).toBe('danger');
    expect(bookTone(book())).toBe('success');
  });

  it('is connected step by step, and the callback is done once WeCom has called', () => {
    expect(bookSteps(null)).toEqual({ app: 'open', contacts: 'locked', callback: 'locked' });
    expect(bookSteps(book())).toEqual({ app: 'done', contacts: 'open', callback: 'locked' });
    expect(bookSteps(book({ contacts }))).toEqual({ app: 'done', contacts: 'done', callback: 'open' });
    expect(bookSteps(book({ contacts: { ...contacts, heard_at: '2026-11-22T00:00:00Z' } })).callback).toBe('done');
  });
});
