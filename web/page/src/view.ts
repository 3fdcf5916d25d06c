import type { Page } from '@huitouke/api/visitor';
import { COOKIES, type Chat } from './chat';
import { textOn } from './colour';
import { Composer } from './composer';
import { el, fill, show } from './dom';
import { rowsOf } from './rows';
import { say, type Word } from './words';

/** A wait shorter than this shows nothing. */
const PATIENCE_MS = 300;
/** So close to the end counts as being there: then what is new is followed. */
const NEAR_PX = 80;

/** The page: head, log, composer, foot; or one sentence where there is no chat. */
export class View {
  private readonly picture = el('span', { class: 'picture', 'aria-hidden': 'true' });
  private readonly name = el('h1');
  private readonly status = el('p', { class: 'status', role: 'status' });
  private readonly list = el('div', { class: 'list', role: 'log', 'aria-label': say('log'), 'aria-live': 'polite' });
  private readonly earlier = el('button', { type: 'button', class: 'plain earlier' }, say('earlier'));
  private readonly log = el('main', { class: 'log', tabindex: '0' }, this.earlier, this.list);
  private readonly foot = el('footer', {});
  private readonly composer: Composer;
  private readonly notice = el('main', { class: 'notice' });
  private readonly header = el('header', {}, this.picture, el('div', { class: 'names' }, this.name, this.status));
  private drawnPage = '';
  private nearEnd = true;

  constructor(
    private readonly chat: Chat,
    draft: string,
  ) {
    this.composer = new Composer(draft, (text) => this.write(text), (words) => chat.keep(words));
    this.earlier.addEventListener('click', () => void this.showEarlier());
    this.log.addEventListener('scroll', () => this.noteEnd(), { passive: true });
    setTimeout(() => {
      if (!chat.visit && !chat.refused) this.say(say('loading'), false);
    }, PATIENCE_MS);
    this.followKeyboard();
  }

  draw(): void {
    const { visit, refused } = this.chat;
    if (refused) return this.drawRefused();
    if (!visit) return;
    this.drawPage(visit.page);
    this.status.textContent = say(this.statusWord(visit.page));
    this.status.classList.toggle('trouble', this.chat.line !== 'up');
    this.earlier.hidden = !this.chat.hasMore;
    show(
      this.list,
      rowsOf(
        { page: visit.page, log: this.chat.log, pending: this.chat.pending, complete: !this.chat.hasMore, answering: this.chat.answering },
        { ask: (question) => this.write(question), retry: (clientId) => this.chat.retry(clientId) },
      ),
    );
    if (this.nearEnd) this.log.scrollTop = this.log.scrollHeight;
  }

  private statusWord(page: Page): Word {
    if (this.chat.line === 'offline') return 'offline';
    if (this.chat.line === 'down') return 'reconnecting';
    const chat = this.chat.log.chat;
    if (chat?.waiting) return 'waiting';
    if (chat?.open && chat.with_person) return 'personHere';
    return page.assistant ? 'assistantHere' : 'peopleHere';
  }

  private drawPage(page: Page): void {
    const now = JSON.stringify(page);
    if (!this.log.isConnected) {
      fill(document.body, this.header, this.log, this.composer.element, this.foot);
      this.composer.fit();
    }
    if (now === this.drawnPage) return;
    this.drawnPage = now;
    document.title = page.name;
    this.name.textContent = page.name;
    fill(this.picture, page.avatar_url ? el('img', { src: page.avatar_url, alt: '' }) : page.name.slice(0, 1));
    fill(this.foot, page.assistant ? el('p', {}, say('foot')) : '', page.record_number ? el('p', {}, record(page.record_number)) : '');
    const style = document.documentElement.style;
    style.setProperty('--brand', page.color);
    style.setProperty('--on-brand', textOn(page.color));
  }

  private drawRefused(): void {
    const refused = this.chat.refused;
    if (!refused) return;
    const cookies = refused.type === COOKIES;
    this.say(cookies ? say('cookies') : (refused.sentence ?? say('away')), !cookies);
  }

  /** One sentence instead of the chat. */
  private say(sentence: string, again: boolean): void {
    fill(this.notice, el('h1', {}, sentence));
    if (again) {
      const button = el('button', { type: 'button', class: 'again' }, say('again'));
      button.addEventListener('click', () => void this.chat.begin());
      this.notice.append(button);
    }
    fill(document.body, this.notice);
  }

  private write(text: string): void {
    this.nearEnd = true;
    this.chat.write(text);
  }

  /** What was being read stays where it is, while older messages come above it. */
  private async showEarlier(): Promise<void> {
    const below = this.log.scrollHeight - this.log.scrollTop;
    this.earlier.disabled = true;
    try {
      await this.chat.earlier();
      this.draw();
    } catch {
      this.chat.hurry();
    }
    this.earlier.disabled = false;
    this.log.scrollTop = this.log.scrollHeight - below;
  }

  private noteEnd(): void {
    this.nearEnd = this.log.scrollHeight - this.log.scrollTop - this.log.clientHeight < NEAR_PX;
  }

  /** iPhones lay the keyboard over the page: what is visible is the height. */
  private followKeyboard(): void {
    const visible = window.visualViewport;
    if (!visible) return;
    const fit = (): void => {
      document.documentElement.style.setProperty('--height', `${Math.round(visible.height)}px`);
      if (this.nearEnd) this.log.scrollTop = this.log.scrollHeight;
    };
    visible.addEventListener('resize', fit);
    fit();
  }
}

/** Chinese law wants the number to lead to the register. */
function record(number: string): HTMLElement {
  return el('a', { href: 'https://beian.miit.gov.cn/', target: '_blank', rel: 'noopener noreferrer nofollow' }, number);
}
