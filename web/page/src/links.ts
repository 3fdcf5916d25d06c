export interface Piece {
  text: string;
  /** Where it leads; absent for plain words. */
  href?: string;
}

const ADDRESS = /https?:\/\/[^\s<>"'`{}|\\^\u3000-\u303f\uff00-\uffef\u4e00-\u9fff\u2018-\u201d\u202a-\u202e\u2066-\u2069]+/gi;
const TRAILING = /[.,;:!?)\]]+$/;

/** The text in pieces, web addresses apart. Only http and https; whatever follows a sentence's end is no part of one. */
export function pieces(text: string): Piece[] {
  const found: Piece[] = [];
  let from = 0;
  for (const match of text.matchAll(ADDRESS)) {
    const address = match[0].replace(TRAILING, '');
    if (!valid(address)) continue;
    if (match.index > from) found.push({ text: text.slice(from, match.index) });
    found.push({ text: address, href: address });
    from = match.index + address.length;
  }
  if (from < text.length) found.push({ text: text.slice(from) });
  return found;
}

function valid(address: string): boolean {
  try {
    return new URL(address).hostname !== '';
  } catch {
    return false;
  }
}
