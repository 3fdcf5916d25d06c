const area = (name: string): string => name.slice(0, name.lastIndexOf('.'));
const viewOf = (name: string): string => `${area(name)}.view`;

/**
 * The choice after one box was ticked or cleared. Who may do something with a thing also sees it: the one brings the
 * other, and without seeing goes what rests on it. `offered` are all names there are.
 */
export function afterTick(chosen: readonly string[], name: string, on: boolean, offered: readonly string[]): string[] {
  if (!on) return chosen.filter((one) => one !== name && !(name === viewOf(name) && area(one) === area(name)));
  const brought = [name, viewOf(name)].filter((one) => offered.includes(one));
  return [...new Set([...chosen, ...brought])];
}

/** Whether the two choices are the same, in whatever order. */
export function sameChoice(one: readonly string[], other: readonly string[]): boolean {
  return one.length === other.length && one.every((name) => other.includes(name));
}
