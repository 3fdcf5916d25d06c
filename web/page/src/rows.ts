import type { Page, VisitorMessage } from '@huitouke/api/visitor';
import { el, type Row } from './dom';
import { pieces } from './links';
import { timeBefore, type Log, type Pending } from './log';
import { language, say } from './words';

export interface Deeds {
  ask(question: string): void;
  retry(clientId: string): void;
}

export interface Shown {
  page: Page;
  log: Log;
  pending: readonly Pending[];
  /** Whether everything from the beginning is in the log: then the greeting stands above it. */
  complete: boolean;
  answering: boolean;
}

/** All that stands in the log, from top to bottom. */
export function rowsOf(shown: Shown, deeds: Deeds): Row[] {
  const rows: Row[] = [];
  if (shown.complete) rows.push(...greeting(shown.page));
  shown.log.messages.forEach((message, at) => {
    const earlier = shown.log.messages[at - 1];
    if (timeBefore(message, earlier)) rows.push(timeRow(message));
    rows.push(message.line ? lineRow(message, message.line) : messageRow(message));
  });
  rows.push(...shown.pending.map((one) => pendingRow(one, deeds)));
  if (shown.log.messages.length === 0 && shown.pending.length === 0 && shown.page.questions.length > 0) {
    rows.push(questionsRow(shown.page.questions, deeds));
  }
  if (shown.answering) rows.push({ key: 'answering', version: '', draw: drawAnswering });
  return rows;
}

function greeting(page: Page): Row[] {
  if (!page.greeting) return [];
  return [{ key: 'greeting', version: page.greeting, draw: () => el('div', { class: 'row theirs' }, bubble(page.greeting)) }];
}

function messageRow(message: VisitorMessage): Row {
  const own = message.by === 'visitor';
  return {
    key: own && message.client_id ? `own-${message.client_id}` : message.id,
    version: `${message.changed_seq}`,
    draw: () =>
      el(
        'div',
        { class: `row ${own ? 'mine' : 'theirs'}` },
        message.ai && mark(),
        message.text === null ? el('p', { class: 'bubble gone' }, say('recalled')) : bubble(message.text),
      ),
  };
}

/** The mark that the law asks for: whoever reads or hears the answer is told that a machine wrote it. */
function mark(): HTMLElement {
  return el('span', { class: 'ai', title: say('aiHint') }, el('span', { 'aria-hidden': 'true' }, say('ai')), el('span', { class: 'heard' }, say('aiHint')));
}

function bubble(text: string): HTMLElement {
  const made = el('p', { class: 'bubble', dir: 'auto' });
  for (const piece of pieces(text)) {
    made.append(
      piece.href === undefined ? piece.text : el('a', { href: piece.href, target: '_blank', rel: 'noopener noreferrer nofollow' }, piece.text),
    );
  }
  return made;
}

function pendingRow(one: Pending, deeds: Deeds): Row {
  return {
    key: `own-${one.clientId}`,
    version: `${one.state} ${one.reason ?? ''}`,
    draw: () => {
      const note = el('p', { class: `note ${one.state}` }, one.state === 'failed' ? (one.reason ?? say('failed')) : say(one.state));
      if (one.state === 'failed') {
        const again = el('button', { type: 'button', class: 'plain' }, say('retry'));
        again.addEventListener('click', () => deeds.retry(one.clientId));
        note.append(' ', again);
      }
      return el('div', { class: 'row mine' }, bubble(one.text), note);
    },
  };
}

function questionsRow(questions: readonly string[], deeds: Deeds): Row {
  return {
    key: 'questions',
    version: questions.join('\n'),
    draw: () => {
      const made = el('div', { class: 'questions', role: 'group', 'aria-label': say('questions') });
      for (const question of questions) {
        const button = el('button', { type: 'button' }, question);
        button.addEventListener('click', () => deeds.ask(question));
        made.append(button);
      }
      return made;
    },
  };
}

function lineRow(message: VisitorMessage, line: NonNullable<VisitorMessage['line']>): Row {
  return { key: message.id, version: line, draw: () => el('p', { class: 'line' }, say(line)) };
}

function timeRow(message: VisitorMessage): Row {
  return {
    key: `time-${message.id}`,
    version: '',
    draw: () => el('p', { class: 'line' }, el('time', { datetime: message.sent_at }, when(new Date(message.sent_at)))),
  };
}

function when(at: Date): string {
  const today = new Date().toDateString() === at.toDateString();
  const day = today ? {} : { month: 'numeric' as const, day: 'numeric' as const };
  return at.toLocaleString(language, { ...day, hour: '2-digit', minute: '2-digit' });
}

function drawAnswering(): HTMLElement {
  const dots = el('span', { class: 'dots', 'aria-hidden': 'true' }, el('i'), el('i'), el('i'));
  return el('div', { class: 'row theirs' }, el('p', { class: 'bubble' }, dots, el('span', { class: 'heard' }, say('answering'))));
}
