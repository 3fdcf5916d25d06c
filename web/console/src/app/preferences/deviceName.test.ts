import { describe, expect, it } from 'vitest';
import { deviceName } from './deviceName';

const named = (key: string): string => key.replace('app.devices.', '');

describe('the name of a device', () => {
  it.each([
    ['Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 Safari/537.36', 'Chrome · Windows'],
    ['Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 Chrome/140.0.0.0 Safari/537.36 Edg/140.0.0.0', 'Edge · Windows'],
    ['Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) AppleWebKit/605.1.15 Version/18.0 Mobile/15E148 Safari/604.1', 'Safari · iOS'],
    ['Mozilla/5.0 (Linux; Android 15; wv) AppleWebKit/537.36 Chrome/130.0 Mobile Safari/537.36 MicroMessenger/8.0.50', 'wechat · Android'],
    ['Mozilla/5.0 (Linux; Android 15) Chrome/130.0 Mobile wxwork/4.1.30 MicroMessenger/7.0.1', 'wecom · Android'],
    ['Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0', 'Firefox · Linux'],
    ['python-httpx2/2.1', 'python-httpx2'],
    ['', 'unknown'],
    [null, 'unknown'],
  ])('%s', (userAgent, name) => {
    expect(deviceName(userAgent, named)).toBe(name);
  });
});
