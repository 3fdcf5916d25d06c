import type { DepartmentBrief } from '@huitouke/api';

/** A department as a line of the tree that is drawn. */
export interface TreeLine {
  id: string;
  name: string;
  depth: number;
  /** Whether others lie below it, and whether they are shown. */
  parent: boolean;
  open: boolean;
  /** Those above it, from the top: what a found one is called in full. */
  path: readonly string[];
}

/** So many departments are found at once: whoever needs others writes more of the name. */
export const FOUND_AT_MOST = 50;

function childrenOf(departments: readonly DepartmentBrief[]): Map<string | null, DepartmentBrief[]> {
  const known = new Set(departments.map((one) => one.id));
  const children = new Map<string | null, DepartmentBrief[]>();
  for (const one of departments) {
    // One whose parent is not there (any more) stands at the top, rather than nowhere.
    const parent = one.parent_id && known.has(one.parent_id) ? one.parent_id : null;
    children.set(parent, [...(children.get(parent) ?? []), one]);
  }
  return children;
}

/** The lines that are shown while these departments are open. The order of siblings is the server's. */
export function linesOf(departments: readonly DepartmentBrief[], open: ReadonlySet<string>): TreeLine[] {
  const children = childrenOf(departments);
  const lines: TreeLine[] = [];
  const walk = (parent: string | null, path: readonly string[]): void => {
    for (const one of children.get(parent) ?? []) {
      const below = children.has(one.id);
      lines.push({ id: one.id, name: one.name, depth: path.length, parent: below, open: below && open.has(one.id), path });
      if (open.has(one.id)) walk(one.id, [...path, one.name]);
    }
  };
  walk(null, []);
  return lines;
}

/** The departments whose name holds these words, each with those above it. */
export function found(departments: readonly DepartmentBrief[], words: string): TreeLine[] {
  const wanted = words.trim().toLowerCase();
  return linesOf(departments, new Set(departments.map((one) => one.id)))
    .filter((line) => line.name.toLowerCase().includes(wanted))
    .slice(0, FOUND_AT_MOST)
    .map((line) => ({ ...line, depth: 0, parent: false }));
}

/** All departments above these: open at first, so that what is chosen is seen. */
export function above(departments: readonly DepartmentBrief[], chosen: readonly string[]): Set<string> {
  const parents = new Map(departments.map((one) => [one.id, one.parent_id]));
  const open = new Set<string>();
  for (const id of chosen) {
    for (let at = parents.get(id) ?? null; at !== null && !open.has(at); at = parents.get(at) ?? null) open.add(at);
  }
  return open;
}
