import { describe, expect, it } from 'vitest';
import { above, found, linesOf } from './departmentTree';

const departments = [
  { id: 'shop', parent_id: null, name: '拾光衣橱' },
  { id: 'east', parent_id: 'shop', name: '华东区' },
  { id: 'hz', parent_id: 'east', name: '杭州店' },
  { id: 'sh', parent_id: 'east', name: '上海店' },
  { id: 'north', parent_id: 'shop', name: '华北区' },
];
const names = (open: string[]): string[] => linesOf(departments, new Set(open)).map((line) => `${'-'.repeat(line.depth)}${line.name}`);

describe('the tree of departments', () => {
  it('shows the top, and what is opened below it', () => {
    expect(names([])).toEqual(['拾光衣橱']);
    expect(names(['shop', 'east'])).toEqual(['拾光衣橱', '-华东区', '--杭州店', '--上海店', '-华北区']);
  });

  it('shows nothing below what is closed, whatever is open there', () => {
    expect(names(['east'])).toEqual(['拾光衣橱']);
  });

  it('puts one whose parent is gone at the top', () => {
    expect(linesOf([{ id: 'a', parent_id: 'gone', name: '门店' }], new Set()).map((line) => line.depth)).toEqual([0]);
  });

  it('finds by a part of the name, and says what lies above', () => {
    expect(found(departments, '店').map((line) => [line.name, line.path])).toEqual([
      ['杭州店', ['拾光衣橱', '华东区']],
      ['上海店', ['拾光衣橱', '华东区']],
    ]);
  });

  it('opens what lies above the chosen ones', () => {
    expect([...above(departments, ['hz'])]).toEqual(['east', 'shop']);
    expect([...above(departments, ['shop', 'unknown'])]).toEqual([]);
  });
});
