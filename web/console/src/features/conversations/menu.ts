import { safeUrl } from './links';

export interface MenuEntry {
  content: string;
  /** Words that cannot be tapped. */
  plain: boolean;
  url: string | null;
}

/** The entries of a menu by line, in WeCom's shape: `no_newline` puts the next one beside. */
export function menuLines(content: Record<string, unknown>): MenuEntry[][] {
  const lines: MenuEntry[][] = [];
  let joins = false;
  for (const entry of Array.isArray(content.list) ? (content.list as Record<string, unknown>[]) : []) {
    const part = entry[String(entry.type)] as { content?: unknown; url?: unknown; no_newline?: unknown } | undefined;
    if (typeof part?.content !== 'string') continue;
    const shown = { content: part.content, plain: entry.type === 'text', url: entry.type === 'view' ? safeUrl(part.url) : null };
    if (joins) lines.at(-1)?.push(shown);
    else lines.push([shown]);
    joins = Boolean(part.no_newline);
  }
  return lines;
}
