import { afterEach, describe, expect, it } from 'vitest';
import { keyLabel, strokeName } from './keys';
import { matches } from './match';
import { available, press, register, type Command } from './registry';

const removers: (() => void)[] = [];
const ran: string[] = [];

function offer(command: Partial<Command> & { id: string }): void {
  removers.push(register({ title: 'x', group: 'page', run: () => ran.push(command.id), ...command }));
}

function key(name: string, more: KeyboardEventInit = {}, target: HTMLElement = document.body): void {
  const event = new KeyboardEvent('keydown', { key: name, code: `Key${name.toUpperCase()}`, bubbles: true, cancelable: true, ...more });
  Object.defineProperty(event, 'target', { value: target });
  press(event);
}

afterEach(() => {
  removers.splice(0).forEach((remove) => remove());
  ran.length = 0;
});

describe('a key', () => {
  it('runs the command that is offered, and only while it is', () => {
    let allowed = false;
    offer({ id: 'take', keys: 't', when: () => allowed });
    key('t');
    expect(ran).toEqual([]);
    expect(available()).toEqual([]);
    allowed = true;
    key('t');
    expect(ran).toEqual(['take']);
  });

  it('in a field is a letter, unless the command works everywhere', () => {
    const field = document.createElement('textarea');
    offer({ id: 'next', keys: 'j' });
    offer({ id: 'palette', keys: 'mod+k', everywhere: true });
    key('j', {}, field);
    key('k', { ctrlKey: true, metaKey: /Mac/.test(navigator.platform) }, field);
    expect(ran).toEqual(['palette']);
  });

  it('while Chinese is composed belongs to the input method', () => {
    offer({ id: 'next', keys: 'j' });
    key('j', { isComposing: true });
    key('Process');
    expect(ran).toEqual([]);
  });

  it('can be the second of two', () => {
    offer({ id: 'inbox', keys: 'g i' });
    key('i');
    expect(ran).toEqual([]);
    key('g');
    key('i');
    expect(ran).toEqual(['inbox']);
  });
});

it('keys are named by what is printed on them, on other alphabets by where they are', () => {
  const bare = { ctrlKey: false, metaKey: false, shiftKey: false, altKey: false };
  expect(strokeName({ ...bare, key: 'о', code: 'KeyJ' }, false)).toBe('j');
  expect(strokeName({ ...bare, key: '?', code: 'Slash', shiftKey: true }, false)).toBe('?');
  expect(strokeName({ ...bare, key: 'Enter', code: 'Enter', metaKey: true }, true)).toBe('mod+enter');
  expect(keyLabel('mod+k', true)).toBe('⌘K');
  expect(keyLabel('g i', false)).toBe('G I');
});

it('the palette finds by parts and by letters in their order', () => {
  expect(matches('我来回 conversation.take', '来回')).toBe(true);
  expect(matches('Hand back to the assistant', 'hba')).toBe(true);
  expect(matches('Hand back', 'xyz')).toBe(false);
});
