import type { Check } from '@huitouke/api';
import { describe, expect, it } from 'vitest';
import { addressToTrust, nextStep, stepStates } from './connectSteps';

const check = (name: string, state: Check['state'], message = '', fix = ''): Check => ({ name, state, message, fix });
const untrusted = check('credentials', 'failed', '企业微信没有通过（60020）。', '请在“企业可信IP”里加上它。要填的地址是 203.0.113.9。');

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
    const states = stepStates({ hasApp: true, checks: [check('credentials', 'failed', '企业微信没有通过（40001）。'), check('callback', 'ok')], accounts: 1 });
    expect(states.credentials).toBe('failed');
    expect(nextStep(states)).toBe('credentials');
  });

  it('send an untrusted address to the step of rights, because the secret is not at fault', () => {
    const states = stepStates({ hasApp: true, checks: [untrusted, check('app', 'waiting')], accounts: 0 });
    expect(states.credentials).toBe('done');
    expect(states.rights).toBe('failed');
    expect(nextStep(states)).toBe('rights');
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
  it('may be an IPv6 one', () => expect(addressToTrust([{ ...untrusted, fix: '要填的地址是 2001:db8::7。' }])).toBe('2001:db8::7'));
  it('is unknown while WeCom does not complain', () => expect(addressToTrust([check('credentials', 'ok', '', '1.2.3.4')])).toBeNull());
});
