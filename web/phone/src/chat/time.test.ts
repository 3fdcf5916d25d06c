import { describe, expect, it } from 'vitest';
import { chatTime, listTime, type TimeContext } from './time';

const chinese: TimeContext = { locale: 'zh-CN', timeZone: 'Asia/Shanghai', yesterday: '昨天' };
const at = (iso: string): number => Date.parse(`${iso}+08:00`) / 1000;
const NOW = at('2026-11-21T15:00:00');

describe('times in Chinese', () => {
  it.each([
    ['2026-11-21T14:05:00', '14:05', '14:05'],
    ['2026-11-20T23:59:00', '昨天 23:59', '昨天'],
    ['2026-11-18T09:00:00', '星期三 09:00', '星期三'],
    ['2026-03-08T09:00:00', '3月8日 09:00', '3月8日'],
    ['2025-03-08T09:00:00', '2025年3月8日 09:00', '2025/3/8'],
  ])('%s', (iso, inChat, inList) => {
    expect(chatTime(at(iso), NOW, chinese)).toBe(inChat);
    expect(listTime(at(iso), NOW, chinese)).toBe(inList);
  });

  it('follow the day of the viewer, not of UTC', () => {
    expect(listTime(at('2026-11-21T00:30:00'), NOW, chinese)).toBe('00:30');
  });

  it('say the day also for what lies ahead, after the clock was moved back', () => {
    expect(chatTime(at('2026-11-23T09:00:00'), NOW, chinese)).toBe('11月23日 09:00');
  });
});

it('an empty chat has no time', () => {
  expect(listTime(null, NOW, chinese)).toBe('');
});

it('English has its own words', () => {
  const english: TimeContext = { locale: 'en', timeZone: 'Asia/Shanghai', yesterday: 'Yesterday' };
  expect(chatTime(at('2026-11-20T23:59:00'), NOW, english)).toBe('Yesterday 23:59');
});
