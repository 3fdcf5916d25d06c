import { describe, expect, it } from 'vitest';
import { afterTick, sameChoice } from './permissionChoice';

const offered = ['conversations.view', 'conversations.reply', 'conversations.manage', 'customers.view', 'work.manage'];

describe('the choice of permissions', () => {
  it('brings seeing along with doing', () => {
    expect(afterTick([], 'conversations.reply', true, offered)).toEqual(['conversations.reply', 'conversations.view']);
  });

  it('brings nothing where there is nothing to see', () => {
    expect(afterTick([], 'work.manage', true, offered)).toEqual(['work.manage']);
  });

  it('takes away what rests on seeing, and nothing of others', () => {
    expect(afterTick(['conversations.view', 'conversations.reply', 'customers.view'], 'conversations.view', false, offered)).toEqual(['customers.view']);
  });

  it('takes away one thing and leaves the rest', () => {
    expect(afterTick(['conversations.view', 'conversations.reply'], 'conversations.reply', false, offered)).toEqual(['conversations.view']);
  });

  it('is the same in any order', () => {
    expect(sameChoice(['a', 'b'], ['b', 'a'])).toBe(true);
    expect(sameChoice(['a'], ['b'])).toBe(false);
    expect(sameChoice(['a'], ['a', 'b'])).toBe(false);
  });
});
