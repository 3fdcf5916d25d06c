/** Key names of commands: `mod+k`, `shift+enter`, `?`, or a sequence `g i`. */
const MAC = typeof navigator !== 'undefined' && /Mac|iPhone|iPad/.test(navigator.platform);

type Stroke = Pick<KeyboardEvent, 'key' | 'code' | 'ctrlKey' | 'metaKey' | 'shiftKey' | 'altKey'>;

/** The name of what was pressed. Letters come from the physical key when the layout gives none (Cyrillic, Kana). */
export function strokeName(event: Stroke, mac = MAC): string {
  let key = event.key.toLowerCase();
  if (key.length === 1 && key > '\u007f' && event.code.startsWith('Key')) key = event.code.slice(3).toLowerCase();
  const mod = mac ? event.metaKey : event.ctrlKey;
  const parts = [mod && 'mod', event.altKey && 'alt', event.shiftKey && key.length > 1 && 'shift', key];
  return parts.filter(Boolean).join('+');
}

/** How a key is written for people. */
export function keyLabel(keys: string, mac = MAC): string {
  const names: Record<string, string> = { mod: mac ? '⌘' : 'Ctrl', alt: mac ? '⌥' : 'Alt', shift: mac ? '⇧' : 'Shift', enter: '↵', escape: 'Esc' };
  return keys
    .split(' ')
    .map((stroke) =>
      stroke
        .split('+')
        .map((part) => names[part] ?? (part.length === 1 ? part.toUpperCase() : part))
        .join(mac ? '' : '+'),
    )
    .join(' ');
}
