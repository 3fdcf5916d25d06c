import { describe, expect, it } from 'vitest';
import { isOurs } from './live';

describe('a hint about notices', () => {
  it('is ours when it names us, or nobody', () => {
    expect(isOurs('a', 'a')).toBe(true);
    expect(isOurs(null, 'a')).toBe(true);
  });

  it('is not ours when it names a colleague', () => {
    expect(isOurs('b', 'a')).toBe(false);
    expect(isOurs('b', undefined)).toBe(false);
  });
});
