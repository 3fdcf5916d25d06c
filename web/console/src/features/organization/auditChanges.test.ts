import { describe, expect, it } from 'vitest';
import { changesOf } from './auditChanges';

describe('the changes of an entry of the log', () => {
  it('are only the facts that differ', () => {
    expect(changesOf({ name: '小雨', role: 'agent' }, { name: '小雨', role: 'administrator' })).toEqual([{ name: 'role', before: 'agent', after: 'administrator' }]);
  });
  it('are all facts of something new, and of something that is gone', () => {
    expect(changesOf(null, { name: '阿宁' })).toEqual([{ name: 'name', before: undefined, after: '阿宁' }]);
    expect(changesOf({ name: '阿宁' }, null)).toEqual([{ name: 'name', before: '阿宁', after: null }]);
  });
  it('do not tell an empty text from none', () => expect(changesOf({ remark: '' }, { remark: null })).toEqual([]));
  it('do not tell an empty list from none', () => expect(changesOf(null, { variants: [] })).toEqual([]));
  it('see into lists', () => expect(changesOf({ words: ['a'] }, { words: ['a'] })).toEqual([]));
  it('count a remark of the change only when it is true', () => {
    expect(changesOf({ name: 'a' }, { name: 'a', secret_changed: false })).toEqual([]);
    expect(changesOf({ name: 'a' }, { name: 'a', secret_changed: true })).toHaveLength(1);
  });
  it('keep a false that was true', () => expect(changesOf({ on: true }, { on: false })).toHaveLength(1));
});
