import { describe, expect, it } from 'vitest';
import { escaped, fitting, tableCard } from './tableCard';

const CARD = { name: '拾光衣橱', color: '#0b7a4b', url: 'https://shop.example/c/abcdefghjk', lead: '有问题，扫一扫', text: 'AI 客服马上回答' };

describe('the card for the table', () => {
  it('is as large as A6 and bears name, code and address', () => {
    const svg = tableCard(CARD);
    expect(svg).toContain('width="105mm" height="148mm"');
    expect(svg).toContain('>拾光衣橱</text>');
    expect(svg).toContain('>shop.example/c/abcdefghjk</text>');
    expect(svg.match(/<svg /g)).toHaveLength(2);
  });

  it('takes names for words, never for markup', () => {
    const svg = tableCard({ ...CARD, name: '</text><script>alert(1)</script>', color: '"/><script>' });
    expect(svg).not.toContain('<script');
    expect(escaped('a\u0000b\ud800c & "d"')).toBe('abc &amp; &quot;d&quot;');
  });

  it('makes long names smaller, so that they stay on the card', () => {
    expect(fitting('拾光', 92)).toBe(92);
    expect(fitting('字'.repeat(16), 92)).toBeLessThan(60);
    expect(fitting('', 40)).toBe(40);
  });
});
