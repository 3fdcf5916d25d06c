import { el } from './dom';
import { say } from './words';

const LIMIT = 1_000;
/** From here on the rest is counted aloud. */
const SOON = 100;
const ROWS_PX = 120;

/** The field and its button. Enter sends where there is a keyboard; on a phone it begins a new line. */
export class Composer {
  readonly element: HTMLFormElement;
  private readonly field = el('textarea', { rows: '1', maxlength: `${LIMIT}`, placeholder: say('placeholder'), 'aria-label': say('placeholder'), enterkeyhint: 'send' });
  private readonly button = el('button', { type: 'submit', class: 'send' }, say('send'));
  private readonly left = el('p', { class: 'left', role: 'status' });

  constructor(
    draft: string,
    private readonly write: (text: string) => void,
    private readonly keep: (draft: string) => void,
  ) {
    this.field.value = draft;
    this.element = el('form', { class: 'composer', 'aria-label': say('send') }, this.field, this.button, this.left);
    this.element.addEventListener('submit', (event) => {
      event.preventDefault();
      this.send();
    });
    this.field.addEventListener('input', () => {
      this.keep(this.field.value);
      this.fit();
    });
    this.field.addEventListener('keydown', (event) => this.key(event));
  }

  private key(event: KeyboardEvent): void {
    const composing = event.isComposing || event.keyCode === 229; // Safari says so of the Enter that ends a pinyin word
    if (event.key !== 'Enter' || event.shiftKey || composing || matchMedia('(pointer: coarse)').matches) return;
    event.preventDefault();
    this.send();
  }

  private send(): void {
    const text = this.field.value.trim();
    if (!text) {
      this.field.focus();
      return;
    }
    this.field.value = '';
    this.keep('');
    this.fit();
    this.field.focus();
    this.write(text);
  }

  /** Makes the field as high as its words, once it stands on the page. */
  fit(): void {
    this.field.style.height = 'auto';
    this.field.style.height = `${Math.min(this.field.scrollHeight, ROWS_PX)}px`;
    const left = LIMIT - this.field.value.length;
    this.left.textContent = left <= SOON ? say('left').replace('{n}', `${left}`) : '';
  }
}
