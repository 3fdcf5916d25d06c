import { describe, expect, it } from 'vitest';
import { reachOf } from './reach';

describe('who reaches an address', () => {
  it.each([
    ['http://127.0.0.1:8000/callbacks/wecom/1', 'machine'],
    ['http://localhost/', 'machine'],
    ['http://[::1]:8000/', 'machine'],
    ['http://192.168.1.20/', 'network'],
    ['http://172.20.0.2:8000/', 'network'],
    ['http://shop-server:8000/', 'network'],
    ['http://shop.local/', 'network'],
    ['https://172.64.0.1/', 'public'],
    ['https://kefu.example.com/callbacks/wecom/1', 'public'],
  ])('%s: %s', (address, reach) => expect(reachOf(address)).toBe(reach));
});
