import { describe, expect, it } from 'vitest';
import { randomPassword } from './randomPassword';

describe('a made-up password', () => {
  it('is long enough, easy to read out and never the same', () => {
    const made = new Set(Array.from({ length: 50 }, () => randomPassword()));
    expect(made.size).toBe(50);
    for (const password of made) expect(password).toMatch(/^[a-hjkmnp-z2-9]{4}(-[a-hjkmnp-z2-9]{4}){2}$/);
  });
});
