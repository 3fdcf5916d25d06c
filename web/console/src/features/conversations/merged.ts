export interface MergedItem {
  sender: string;
  msgtype: string;
  text: string;
}

/** The lines of a forwarded bundle; `msg_content` is JSON as text, in the shape of the line's own kind. */
export function mergedItems(content: Record<string, unknown>): MergedItem[] {
  if (!Array.isArray(content.item)) return [];
  return content.item.map((item: Record<string, unknown>) => ({
    sender: String(item.sender_name ?? ''),
    msgtype: String(item.msgtype ?? 'unknown'),
    text: textOf(item),
  }));
}

function textOf(item: Record<string, unknown>): string {
  try {
    const parsed = JSON.parse(String(item.msg_content)) as Record<string, Record<string, unknown> | undefined>;
    const part = parsed[String(item.msgtype)] ?? parsed;
    const text = part.content ?? part.title;
    return typeof text === 'string' ? text : '';
  } catch {
    // An unreadable line is shown by its kind alone.
    return '';
  }
}
