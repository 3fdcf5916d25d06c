/** Why WeCom did not deliver a message it had accepted: fail_type of msg_send_fail (path/94670). */
const REASONS: Record<number, string> = {
  1: 'fail.account_deleted',
  2: 'fail.app_closed',
  4: 'fail.too_late',
  5: 'fail.session_ended',
  6: 'fail.too_many',
  8: 'fail.unverified',
  10: 'fail.rejected',
  11: 'fail.nobody_signed_in',
  12: 'fail.forbidden_type',
  13: 'fail.security',
};

/** The key of the sentence. */
export function failReason(failType: number | null | undefined): string {
  return REASONS[failType ?? 0] ?? 'fail.unknown';
}
