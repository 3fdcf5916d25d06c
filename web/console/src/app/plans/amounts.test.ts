import { describe, expect, it } from 'vitest';
import { amount, daysToTell, fullness, toneOf } from './amounts';

describe('amounts', () => {
  it('are written in the unit that people know', () => {
    expect(amount(1_234_567, 'tokens', 'en')).toBe('1,234,567');
    expect(amount(1.5 * 1024 ** 3, 'bytes', 'en')).toBe('1.5 GB');
    expect(amount(20 * 1024 ** 2, 'bytes', 'zh-CN')).toBe('20 MB');
  });
});

describe('fullness', () => {
  it('is unknown without a limit, and never above the whole', () => {
    expect(fullness(5, null)).toBeNull();
    expect(fullness(null, 5)).toBeNull();
    expect(fullness(12, 10)).toBe(1);
    expect(fullness(0, 0)).toBe(1);
  });

  it('is told before nothing is left', () => {
    expect([null, 0.79, 0.8, 1].map(toneOf)).toEqual(['normal', 'normal', 'nearly', 'full']);
  });
});

describe('the end of a plan', () => {
  const now = new Date('2026-03-01T08:00:00Z');

  it('is told of in its last week, unless another plan follows', () => {
    expect(daysToTell('2026-03-08T08:00:00Z', false, now)).toBe(7);
    expect(daysToTell('2026-03-01T09:00:00Z', false, now)).toBe(1);
    expect(daysToTell('2026-03-09T08:00:00Z', false, now)).toBeNull();
    expect(daysToTell('2026-03-02T08:00:00Z', true, now)).toBeNull();
    expect(daysToTell('2026-02-28T08:00:00Z', false, now)).toBeNull();
    expect(daysToTell(null, false, now)).toBeNull();
  });
});
