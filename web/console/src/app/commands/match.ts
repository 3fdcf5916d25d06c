/** Whether the letters of the query stand in the text in this order; spaces are ignored. */
export function matches(text: string, query: string): boolean {
  const wanted = query.toLowerCase().replaceAll(' ', '');
  const source = text.toLowerCase();
  if (source.includes(wanted)) return true;
  let at = 0;
  for (const character of wanted) {
    at = source.indexOf(character, at) + 1;
    if (at === 0) return false;
  }
  return true;
}
