import { describe, expect, it } from 'vitest';
import { pieces } from './links';

const addresses = (text: string): (string | undefined)[] => pieces(text).flatMap((one) => (one.href ? [one.href] : []));

describe('web addresses in what people write', () => {
  it('are found between Chinese words and signs', () => {
    expect(addresses('看https://example.com/a?b=1。还有（http://example.org/x），谢谢')).toEqual(['https://example.com/a?b=1', 'http://example.org/x']);
  });

  it('end before the sign that ends the sentence', () => {
    expect(addresses('See https://example.com/a. Or (https://example.com/b)!')).toEqual(['https://example.com/a', 'https://example.com/b']);
  });

  it('are http and https and nothing else', () => {
    expect(addresses('javascript:alert(1) data:text/html,x file:///etc ftp://a.b mailto:a@b.c //a.b www.a.b')).toEqual([]);
  });

  it('never hide where they lead: signs that turn the direction end them', () => {
    expect(addresses('https://good.example/\u202egnp.evil')).toEqual(['https://good.example/']);
  });

  it('leave every character where it was', () => {
    for (const text of ['', 'https://', 'a https://x.y b https://z.w', '<a href="https://x.y">z</a>', 'https://[']) {
      expect(pieces(text).map((one) => one.text).join('')).toBe(text);
    }
  });
});
