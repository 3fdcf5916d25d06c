import { describe, expect, it } from 'vitest';
import { anchoredSegments, cardLines, safeUrl, segments } from './text';

describe('links in a text', () => {
  it('end before the punctuation of the sentence', () => {
    expect(segments('看这里：https://shop.example/a?b=1。谢谢')).toEqual([
      { text: '看这里：' },
      { text: 'https://shop.example/a?b=1', href: 'https://shop.example/a?b=1' },
      { text: '。谢谢' },
    ]);
    expect(segments('(see https://shop.example/a).')[1]).toEqual({ text: 'https://shop.example/a', href: 'https://shop.example/a' });
  });

  it('leave a text without links whole', () => {
    expect(segments('有大一点的吗')).toEqual([{ text: '有大一点的吗' }]);
    expect(segments('')).toEqual([]);
  });

  it('never follow a script', () => {
    expect(safeUrl('javascript:alert(1)')).toBeUndefined();
    expect(safeUrl('weixin://dl/chat')).toBeUndefined();
    expect(safeUrl(' https://shop.example ')).toBe('https://shop.example');
    expect(anchoredSegments('<a href="javascript:alert(1)">点我</a>')).toEqual([{ text: '点我', href: undefined }]);
  });

  it('may be written as anchors in app messages', () => {
    expect(anchoredSegments('有客户在等，<a href="https://console.example/c/1">去回复</a>吧')).toEqual([
      { text: '有客户在等，' },
      { text: '去回复', href: 'https://console.example/c/1' },
      { text: '吧' },
    ]);
  });
});

describe('the description of a text card', () => {
  it('becomes lines with their tone', () => {
    expect(cardLines('<div class="gray">9月26日</div><div class="normal">客户 &lt;林&gt; 在等</div><div class="highlight">请尽快<br>回复</div>')).toEqual([
      { text: '9月26日', tone: 'gray' },
      { text: '客户 <林> 在等', tone: 'normal' },
      { text: '请尽快', tone: 'highlight' },
      { text: '回复', tone: 'highlight' },
    ]);
  });

  it('keeps text outside of blocks and drops other markup', () => {
    expect(cardLines('第一行\n<script>x</script>第二行')).toEqual([
      { text: '第一行', tone: 'normal' },
      { text: 'x第二行', tone: 'normal' },
    ]);
  });
});
