const DIGITS = 6;

/** Whether six digits of an authenticator app were typed: blanks and dashes don't count, a Chinese keyboard's wide digits do. */
export function isAppCode(typed: string): boolean {
  return new RegExp(`^\\d{${DIGITS}}$`).test(typed.normalize('NFKC').replaceAll(/[\s-]/g, ''));
}
