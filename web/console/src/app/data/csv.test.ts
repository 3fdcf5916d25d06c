import { describe, expect, it } from 'vitest';
import { csv } from './csv';

describe('a table as CSV', () => {
  it('quotes what would break a cell, and begins with the mark of UTF-8', () => {
    expect(csv([['名称', '说明'], ['奶茶', '大杯,"冰"\n少糖']])).toBe('\uFEFF名称,说明\r\n奶茶,"大杯,""冰""\n少糖"\r\n');
  });

  it.each(['=1+1', '+86', '-1', '@SUM(A1)', '\t=1', '\r=1'])('leaves %j a text', (text) => {
    expect(csv([[text]])).toContain(`'${text}`);
  });
});
