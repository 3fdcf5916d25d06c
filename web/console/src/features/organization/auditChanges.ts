/** One fact that a change touched; null when there was or is none, undefined when nothing was written down before. */
export interface FactChange {
  name: string;
  before: unknown;
  after: unknown;
}

/** What serves the program, and tells people nothing. */
const SILENT = new Set(['version']);

type Facts = Readonly<Record<string, unknown>> | null;

const empty = (value: unknown): boolean => value === null || value === undefined || value === '' || (Array.isArray(value) && value.length === 0);
const same = (one: unknown, other: unknown): boolean => (empty(one) && empty(other)) || JSON.stringify(one) === JSON.stringify(other);

/**
 * What differs between the facts before and after, in the order in which they were written down. A remark that
 * stands only after the change ("the secret was replaced") counts when it is true.
 */
export function changesOf(before: Facts, after: Facts): FactChange[] {
  const names = [...new Set([...Object.keys(before ?? {}), ...Object.keys(after ?? {})])];
  return names
    .map((name) => ({ name, before: before && name in before ? (before[name] ?? null) : undefined, after: after?.[name] ?? null }))
    .filter((change) => !SILENT.has(change.name) && !same(change.before, change.after) && !(before && change.before === undefined && change.after === false));
}
