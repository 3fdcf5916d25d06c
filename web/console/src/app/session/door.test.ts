import { expect, it } from 'vitest';
import { inWecom } from './door';

it.each([
  ['Mozilla/5.0 (iPhone; CPU iPhone OS 17_0 like Mac OS X) AppleWebKit/605.1.15 Mobile/15E148 wxwork/4.1.20 MicroMessenger/7.0.1', true],
  ['Mozilla/5.0 (Windows NT 10.0) AppleWebKit/537.36 Chrome/108 Safari/537.36 wxwork/4.1.0 (MicroMessenger/6.2) WindowsWechat', true],
  ['Mozilla/5.0 (iPhone; CPU iPhone OS 17_0 like Mac OS X) AppleWebKit/605.1.15 MicroMessenger/8.0.44', false],
  ['Mozilla/5.0 (X11; Linux x86_64) Chrome/126 Safari/537.36', false],
])('%s is inside WeCom: %s', (agent, inside) => {
  expect(inWecom(agent)).toBe(inside);
});
