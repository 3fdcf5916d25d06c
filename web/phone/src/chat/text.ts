/** Reads what people and programs write: links in texts, the small HTML of WeCom's app messages. */

export interface Segment {
  text: string;
  /** Set: the text is a link there. */
  href?: string;
}

const URL_PATTERN = /https?:\/\/[^\s<>"'，。！？；、（）【】《》]+/g;
const TRAILING = /[.,!?;:)\]]+$/;
const ANCHOR_PATTERN = /<a\s[^>]*?href\s*=\s*["']([^"']*)["'][^>]*>([\s\S]*?)<\/a>/gi;

/** The address if a browser may follow it; scripts and other schemes may not come in through a message. */
export function safeUrl(url: string): string | undefined {
  return /^https?:\/\//i.test(url.trim()) ? url.trim() : undefined;
}

/** Splits a text at the addresses in it. */
export function segments(text: string): Segment[] {
  const found: Segment[] = [];
  let position = 0;
  for (const match of text.matchAll(URL_PATTERN)) {
    const href = match[0].replace(TRAILING, '');
    if (match.index > position) found.push({ text: text.slice(position, match.index) });
    found.push({ text: href, href });
    position = match.index + href.length;
  }
  if (position < text.length) found.push({ text: text.slice(position) });
  return found;
}

/** As `segments`, and `<a href>` counts too: app messages may hold such links (path/90236). */
export function anchoredSegments(text: string): Segment[] {
  const found: Segment[] = [];
  let position = 0;
  for (const match of text.matchAll(ANCHOR_PATTERN)) {
    found.push(...segments(text.slice(position, match.index)));
    found.push({ text: match[2] ?? '', href: safeUrl(match[1] ?? '') });
    position = match.index + match[0].length;
  }
  return [...found, ...segments(text.slice(position))];
}

export type Tone = 'normal' | 'gray' | 'highlight';

export interface CardLine {
  text: string;
  tone: Tone;
}

const DIV_PATTERN = /<div(?:\s+class\s*=\s*["']?(gray|normal|highlight)["']?)?[^>]*>([\s\S]*?)<\/div>/gi;
const ENTITIES: Record<string, string> = { '&lt;': '<', '&gt;': '>', '&quot;': '"', '&#39;': "'", '&nbsp;': ' ', '&amp;': '&' };

/** The lines of a text card's description: `<div class="gray|normal|highlight">` and `<br>` have a meaning, the rest goes. */
export function cardLines(description: string): CardLine[] {
  const found: CardLine[] = [];
  let position = 0;
  const add = (html: string, tone: Tone): void => {
    for (const line of plain(html).split('\n')) if (line.trim()) found.push({ text: line.trim(), tone });
  };
  for (const match of description.matchAll(DIV_PATTERN)) {
    add(description.slice(position, match.index), 'normal');
    add(match[2] ?? '', (match[1] as Tone | undefined) ?? 'normal');
    position = match.index + match[0].length;
  }
  add(description.slice(position), 'normal');
  return found;
}

function plain(html: string): string {
  return html
    .replace(/<br\s*\/?>/gi, '\n')
    .replace(/<[^>]*>/g, '')
    .replace(/&(?:lt|gt|quot|#39|nbsp|amp);/g, (entity) => ENTITIES[entity] ?? entity);
}
