/**
 * While a list is scrolled down nothing may move under the eye: rows keep the order they had, renew their
 * content, and disappear when they no longer belong; what is new waits above. Gives the rows to show and
 * how many wait.
 */
export function keepOrder<T extends { id: string }>(rows: readonly T[], frozen: readonly string[] | null): { shown: readonly T[]; waiting: number } {
  if (!frozen) return { shown: rows, waiting: 0 };
  const byId = new Map(rows.map((row) => [row.id, row]));
  const known = new Set(frozen);
  const shown = frozen.flatMap((id) => byId.get(id) ?? []);
  const lastKnown = rows.findLastIndex((row) => known.has(row.id));
  // Below the last known row stands what "load more" brought: it joins at the end.
  const appended = rows.slice(lastKnown + 1);
  const waiting = rows.slice(0, lastKnown + 1).filter((row) => !known.has(row.id)).length;
  return { shown: [...shown, ...appended], waiting };
}
