/** From where an address can be called: by everybody, in the same network, or on this machine alone. */
export type Reach = 'public' | 'network' | 'machine';

const PRIVATE = [/^10\./, /^192\.168\./, /^172\.(1[6-9]|2\d|3[01])\./, /^169\.254\./, /^f[cd][0-9a-f]{2}:/, /^fe80:/];

/** WeCom calls from the internet: an address that only this machine or network knows can't be reached. */
export function reachOf(address: string): Reach {
  const host = new URL(address).hostname.replace(/^\[|\]$/g, '').toLowerCase();
  if (host === 'localhost' || host.endsWith('.localhost') || host === '::1' || host === '0.0.0.0' || /^127\./.test(host)) return 'machine';
  const inside = PRIVATE.some((range) => range.test(host)) || host.endsWith('.local') || host.endsWith('.lan') || host.endsWith('.internal');
  // A name without a dot is one of the local network's.
  return inside || (!host.includes('.') && !host.includes(':')) ? 'network' : 'public';
}
