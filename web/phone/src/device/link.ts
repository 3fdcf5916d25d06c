import type { LocationQuery } from 'vue-router';

/** The link of a 客服 account that this page was opened with: /?link=… (the sandbox's own redirect) or /?open=…. */
export function linkIn(query: LocationQuery): string | null {
  for (const name of ['link', 'open']) {
    const value = query[name];
    if (typeof value === 'string' && value.trim()) return value.trim();
  }
  return null;
}
