import { expect, it } from 'vitest';
import { endOf, lastDay } from './dates';

it('a plan holds through its last day', () => {
  expect(endOf('2026-03-08')).toBe('2026-03-08T16:00:00.000Z');
  expect(lastDay('2026-03-08T16:00:00.000Z')).toBe('2026-03-08');
});

it('no day is no end', () => {
  expect(endOf('')).toBeNull();
  expect(lastDay(null)).toBe('');
});
