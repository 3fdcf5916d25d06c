/** One template a line, our name and the provider's code with a blank between; what is no such line is left out. */
export function templatesOf(text: string): Record<string, string> {
  const pairs = text.split('\n').map((line) => line.trim().split(/\s+/));
  return Object.fromEntries(pairs.filter((pair): pair is [string, string] => pair.length === 2));
}

export function linesOf(templates: Readonly<Record<string, string>>): string {
  return Object.entries(templates)
    .map((pair) => pair.join(' '))
    .join('\n');
}
