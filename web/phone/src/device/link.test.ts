import { expect, it } from 'vitest';
import { linkIn } from './link';

it('takes the link from either name', () => {
  expect(linkIn({ link: 'http://127.0.0.1:8100/kf/kfc1?enc_scene=E' })).toBe('http://127.0.0.1:8100/kf/kfc1?enc_scene=E');
  expect(linkIn({ open: ' http://x/kf/kfc2 ' })).toBe('http://x/kf/kfc2');
  expect(linkIn({ customer: 'wm1', open: '' })).toBeNull();
});
