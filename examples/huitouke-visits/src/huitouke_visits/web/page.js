/* The plug-in's page. The console imports this file, calls `mount`, and calls what it returns when the person leaves.
   Colours, type and the class `table` are the console's own: see docs/plug-ins.md. */

const TEXTS = {
  'zh-CN': { title: '每天来访', day: '日期', messages: '客户消息数', none: '还没有客户来过消息。' },
  en: { title: 'Visits', day: 'Day', messages: 'Messages from customers', none: 'No customer has written yet.' },
};

/** Adds an element with that text; text is never parsed as HTML. */
function add(parent, name, text = '') {
  const element = document.createElement(name);
  element.textContent = text;
  parent.append(element);
  return element;
}

export async function mount(root, console) {
  const words = TEXTS[console.locale] ?? TEXTS.en;
  const days = await console.get('/api/visits?limit=30');
  const frame = add(root, 'section');
  frame.style.cssText = 'max-inline-size: var(--size-form); padding: var(--space-6) var(--space-4)';
  add(frame, 'h1', words.title).style.marginBlockEnd = 'var(--space-4)';
  if (!days.length) {
    add(frame, 'p', words.none);
    return;
  }
  const table = add(frame, 'table');
  table.className = 'table';
  table.style.cssText = 'border-radius: var(--radius-card); background: var(--surface-card); box-shadow: var(--shadow-card)';
  const head = add(add(table, 'thead'), 'tr');
  add(head, 'th', words.day);
  add(head, 'th', words.messages).style.textAlign = 'end';
  const body = add(table, 'tbody');
  for (const day of days) {
    const row = add(body, 'tr');
    add(row, 'td', new Intl.DateTimeFormat(console.locale, { dateStyle: 'medium', timeZone: 'UTC' }).format(new Date(day.day)));
    const count = add(row, 'td', new Intl.NumberFormat(console.locale).format(day.messages));
    count.className = 'figures';
    count.style.textAlign = 'end';
  }
}
