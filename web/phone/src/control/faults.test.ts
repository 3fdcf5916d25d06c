import { describe, expect, it } from 'vitest';
import type { Faults } from '../sandbox/types';
import { SWITCHES, isOn, switched } from './faults';

const healthy: Faults = Object.assign({ callback_timeout_ms: 5000, model_mode: 'normal' }, ...SWITCHES.map((one) => one.off));

describe('switches of faults', () => {
  it.each(SWITCHES.map((one) => [one.key, one] as const))('%s goes on and off and touches nothing else', (_, one) => {
    const on = switched(healthy, one, true);
    expect(isOn(healthy, one)).toBe(false);
    expect(SWITCHES.filter((other) => isOn(on, other))).toEqual([one]);
    expect(switched(on, one, false)).toEqual(healthy);
  });

  it('show what a script has set', () => {
    const slow = SWITCHES.find((one) => one.key === 'slow_callbacks');
    expect(slow && isOn({ ...healthy, callback_delay_ms: 17 }, slow)).toBe(true);
  });
});
