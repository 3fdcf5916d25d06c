import type { Check } from '@huitouke/api';
import { describe, expect, it } from 'vitest';
import { addressToTrust, nextStep, stepStates } from './connectSteps';

const check = (name: string, state: Check['state'], more: Partial<Check> = {}): Check => ({
  name,
  state,
  message: '',
  fix: '',
  mistake: '',
  step: '',
  place: '',
  values: [],
  ...more,
});
const untrusted = check('credentials', 'failed', { mistake: 'ip_not_trusted', step: 'rights', values: [{ name: 'ip', value: '203.0.113.9' }] });

describe('the steps of connecting', () => {
  it('begin with the credentials, and nothing else can be done before', () => {
    const states = stepStates({ hasApp: false, checks: [], accounts: 0 });
    expect(nextStep(states)).toBe('credentials');
    expect(states.callback).toBe('locked');
  });

  it('go on where something is missing after a reload', () => {
    const states = stepStates({ hasApp: true, checks: [check('credentials', 'ok'), check('app', 'ok'), check('callback', 'waiting')], accounts: 0 });
    expect(states.credentials).toBe('done');
    expect(nextStep(states)).toBe('callback');
    expect(states.try).toBe('locked');
  });

  it('lead back to the credentials when the secret was changed elsewhere', () => {
    const states = stepStates({ hasApp: true, checks: [check('credentials', 'failed', { mistake: 'wrong_secret', step: 'credentials' }), check('callback', 'ok')], accounts: 1 });
    expect(states.credentials).toBe('failed');
    expect(nextStep(states)).toBe('credentials');
  });

  it('send an untrusted address to the step of rights, because the secret is not at fault', () => {
    const states = stepStates({ hasApp: true, checks: [untrusted, check('app', 'waiting')], accounts: 0 });
    expect(states.credentials).toBe('done');
    expect(states.rights).toBe('failed');
    expect(nextStep(states)).toBe('rights');
  });

  it('send a mistake to the step that cures it, whichever check met it', () => {
    const another = check('app', 'failed', { mistake: 'secret_of_another_app', step: 'credentials' });
    expect(nextStep(stepStates({ hasApp: true, checks: [check('credentials', 'ok'), another], accounts: 0 }))).toBe('credentials');
    const guarded = check('address', 'failed', { mistake: 'address_guarded', step: 'callback' });
    const states = stepStates({ hasApp: true, checks: [check('credentials', 'ok'), check('app', 'ok'), guarded, check('callback', 'waiting')], accounts: 0 });
    expect([states.credentials, states.callback]).toEqual(['done', 'failed']);
  });

  it('name a failure of a kind that has no mistake at its own step', () => {
    const states = stepStates({ hasApp: true, checks: [check('credentials', 'ok'), check('app', 'failed')], accounts: 0 });
    expect([states.credentials, states.rights]).toEqual(['done', 'failed']);
  });

  it('are all done when an account is connected and WeCom has called', () => {
    const states = stepStates({ hasApp: true, checks: [check('credentials', 'ok'), check('app', 'ok'), check('callback', 'ok')], accounts: 1 });
    expect(Object.values(states)).toEqual(['done', 'done', 'done', 'done', 'done']);
    expect(nextStep(states)).toBe('try');
  });
});

it('takes a message that arrived as proof that WeCom calls, before the app is checked again', () => {
  const states = stepStates({ hasApp: true, checks: [check('credentials', 'ok'), check('app', 'ok'), check('callback', 'waiting')], accounts: 1, arrived: true });
  expect([states.callback, states.try]).toEqual(['done', 'done']);
});

describe('the address to trust', () => {
  it('is the one WeCom named', () => expect(addressToTrust([untrusted])).toBe('203.0.113.9'));
  it('is unknown while WeCom does not complain', () => expect(addressToTrust([{ ...untrusted, state: 'ok' }])).toBeNull());
});
