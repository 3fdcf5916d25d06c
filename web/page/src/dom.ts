type Child = Node | string | null | false;

/** An element. Texts become text nodes, never markup; `class` and attributes are given as they are written in HTML. */
export function el<K extends keyof HTMLElementTagNameMap>(
  name: K,
  attributes: Record<string, string | boolean> = {},
  ...children: Child[]
): HTMLElementTagNameMap[K] {
  const made = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) {
    if (value === true) made.setAttribute(key, '');
    else if (value !== false) made.setAttribute(key, value);
  }
  for (const child of children) if (child !== null && child !== false) made.append(child);
  return made;
}

export interface Row {
  key: string;
  /** Changes when the row has to be drawn anew. */
  version: string;
  draw(): HTMLElement;
}

/** Makes the children of `list` those rows, in that order; what has not changed stays the very same element. */
export function show(list: HTMLElement, rows: readonly Row[]): void {
  const known = new Map<string, HTMLElement>();
  for (const child of Array.from(list.children) as HTMLElement[]) known.set(child.dataset.key ?? '', child);
  let at = list.firstElementChild;
  for (const row of rows) {
    let element = known.get(row.key);
    known.delete(row.key);
    if (!element || element.dataset.version !== row.version) {
      const drawn = row.draw();
      drawn.dataset.key = row.key;
      drawn.dataset.version = row.version;
      if (element) {
        if (element === at) at = element.nextElementSibling;
        element.remove();
      }
      element = drawn;
    }
    if (element === at) at = at.nextElementSibling;
    else list.insertBefore(element, at);
  }
  for (const gone of known.values()) gone.remove();
}

/** Makes these the only children; iPhones with iOS 13 have no `replaceChildren`. */
export function fill(parent: HTMLElement, ...children: Child[]): void {
  while (parent.firstChild) parent.removeChild(parent.firstChild);
  for (const child of children) if (child) parent.append(child);
}
