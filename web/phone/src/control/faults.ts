/** The faults that have a switch here; each is a set of the sandbox's own settings, and off means their defaults. */
import type { Faults } from '../sandbox/types';

export interface FaultSwitch {
  key: string;
  on: Faults;
  off: Faults;
}

export const SWITCHES: FaultSwitch[] = [
  { key: 'slow_callbacks', on: { callback_delay_ms: 3000 }, off: { callback_delay_ms: 0 } },
  { key: 'lost_callbacks', on: { callback_loss_probability: 0.5 }, off: { callback_loss_probability: 0 } },
  { key: 'doubled_callbacks', on: { callback_double_probability: 1 }, off: { callback_double_probability: 0 } },
  { key: 'reordered_callbacks', on: { callback_reorder_probability: 0.5 }, off: { callback_reorder_probability: 0 } },
  { key: 'api_errors', on: { api_5xx_probability: 0.3 }, off: { api_5xx_probability: 0 } },
  { key: 'api_busy', on: { api_busy_probability: 0.3 }, off: { api_busy_probability: 0 } },
  { key: 'api_limit', on: { api_rate_limit_probability: 0.3 }, off: { api_rate_limit_probability: 0 } },
  { key: 'api_answer_lost', on: { api_answer_lost_probability: 0.3 }, off: { api_answer_lost_probability: 0 } },
  { key: 'api_slow', on: { api_delay_ms: 2000 }, off: { api_delay_ms: 0 } },
  { key: 'api_garbled', on: { api_garbled_probability: 1 }, off: { api_garbled_probability: 0 } },
  { key: 'other_address', on: { caller_address: '203.0.113.9' }, off: { caller_address: '' } },
  { key: 'short_tokens', on: { token_calls: 5 }, off: { token_calls: null } },
  { key: 'send_fails', on: { send_fail_probability: 1 }, off: { send_fail_probability: 0 } },
];

export const MODEL_MODES = ['normal', 'slow', 'hang', 'babble', 'error', 'invalid_json', 'cut_stream'] as const;

/** On when every setting differs from its default, whatever a script set it to. */
export function isOn(faults: Faults, one: FaultSwitch): boolean {
  return Object.entries(one.off).every(([name, value]) => (faults[name] ?? null) !== value);
}

export function switched(faults: Faults, one: FaultSwitch, on: boolean): Faults {
  return { ...faults, ...(on ? one.on : one.off) };
}
