import { describe, expect, it } from 'vitest';
import { isAppCode } from './appCode';

describe("the code of an authenticator app", () => {
  it.each(['123456', '123 456', ' 123-456', '１２３４５６'])('is %j', (typed) => {
    expect(isAppCode(typed)).toBe(true);
  });

  it.each(['', '12345', '1234567', 'ABCDE-FGHJK', '12345a'])('is not %j', (typed) => {
    expect(isAppCode(typed)).toBe(false);
  });
});
