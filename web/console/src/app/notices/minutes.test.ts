import { expect, it } from 'vitest';
import { clockOf, minutesOf } from './minutes';

it('comes back as it went', () => {
  for (let minute = 0; minute < 24 * 60; minute += 7) expect(minutesOf(clockOf(minute))).toBe(minute);
  expect(clockOf(8 * 60)).toBe('08:00');
});

it('takes no time that is none', () => {
  for (const wrong of ['', '24:00', '12:60', '8:00', 'noon']) expect(minutesOf(wrong)).toBeNull();
});
