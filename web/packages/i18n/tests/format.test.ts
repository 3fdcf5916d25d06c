import { describe, expect, it } from 'vitest';
import { clock, dayOf, dayStart, duration, elapsed, fileSize, moment, nearestLocale, shortTime, type FormatContext } from '../src/index';
import chinese from '../src/locales/zh-CN.json';

const context: FormatContext = {
  locale: 'zh-CN',
  timeZone: 'Asia/Shanghai',
  t: (key, params = {}) =>
    Object.entries(params).reduce((text, [name, value]) => text.replace(`{${name}}`, String(value)), (chinese as Record<string, string>)[key] ?? key),
};
/** 14:00 in Shanghai. */
const now = new Date('2026-11-21T06:00:00Z');
const short = (iso: string): string => shortTime(iso, now, context);

it('a moment near now names its day only when it is another', () => {
  expect(moment('2026-11-21T07:30:00Z', now, context)).toBe('15:30');
  expect(moment('2026-11-21T16:30:00Z', now, context)).toBe('11/22 00:30');
});

describe('a time in a list', () => {
  it('is said in words within the hour', () => {
    expect(short('2026-11-21T05:59:30Z')).toBe('刚刚');
    expect(short('2026-11-21T05:48:00Z')).toBe('12 分钟前');
  });

  it("is a clock time on the tenant's own day, whatever the browser's zone", () => {
    expect(short('2026-11-20T16:30:00Z')).toBe('00:30');
    expect(short('2026-11-20T15:30:00Z')).toBe('昨天 23:30');
  });

  it('is a date before that, with the year only when it is another', () => {
    expect(short('2026-03-08T04:00:00Z')).toBe('3/8');
    expect(short('2025-03-08T04:00:00Z')).toBe('2025/3/8');
  });

  it('of the next minutes is "just now": clocks differ', () => {
    expect(short('2026-11-21T06:00:40Z')).toBe('刚刚');
  });

  it('that is unknown is empty', () => expect(shortTime(null, now, context)).toBe(''));
});

it('a day ends at midnight of the tenant', () => {
  expect(dayOf(new Date('2026-11-20T16:00:00Z'), 'Asia/Shanghai')).toBe('2026-11-21');
  expect(clock('2026-11-20T16:05:00Z', context)).toBe('00:05');
});

it.each([
  ['2026-11-21', 'Asia/Shanghai', '2026-11-20T16:00:00.000Z'],
  ['2026-03-08', 'America/New_York', '2026-03-08T05:00:00.000Z'],
  ['2026-03-09', 'America/New_York', '2026-03-09T04:00:00.000Z'],
  ['2026-11-02', 'America/New_York', '2026-11-02T05:00:00.000Z'],
  ['2026-01-01', 'UTC', '2026-01-01T00:00:00.000Z'],
])('the day %s begins in %s at %s', (day, zone, moment) => {
  expect(dayStart(day, zone).toISOString()).toBe(moment);
});

it('durations never say zero', () => {
  expect(duration(1_000, context)).toBe('1 分钟');
  expect(duration(59 * 60_000, context)).toBe('59 分钟');
  expect(duration(20 * 3_600_000, context)).toBe('20 小时');
  expect(duration(48 * 3_600_000, context)).toBe('48 小时');
  expect(duration(-72 * 3_600_000, context)).toBe('3 天');
});

it('sizes and spans have a fitting unit', () => {
  expect(fileSize(10, context)).toBe('1 KB');
  expect(fileSize(3 * 1024 * 1024, context)).toBe('3.0 MB');
  expect(elapsed(812.4, context)).toBe('812 毫秒');
  expect(elapsed(12_340, context)).toBe('12.3 秒');
});

it('every Chinese is zh-CN, everything else English', () => {
  expect(['zh', 'zh-TW', 'zh-Hans-CN', '', undefined].map((wanted) => nearestLocale(wanted))).toEqual(Array(5).fill('zh-CN'));
  expect(['en-GB', 'ja'].map((wanted) => nearestLocale(wanted))).toEqual(['en', 'en']);
});
