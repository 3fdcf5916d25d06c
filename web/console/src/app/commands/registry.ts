import { onScopeDispose, shallowReactive, type Component } from 'vue';
import { strokeName } from './keys';

export type CommandGroup = 'page' | 'go' | 'create' | 'settings';

/** One thing a person can do, wherever it is offered: palette, keys, menu, help. */
export interface Command {
  id: string;
  /** A key of the texts, or what the server calls it. */
  title: string | (() => string);
  group: CommandGroup;
  icon?: Component;
  keys?: string | undefined;
  /** Also while typing in a field; only for keys with a modifier. */
  everywhere?: boolean;
  /** Absent, not grey, when this says no. */
  when?: () => boolean;
  /** Either something to do, or a place to go to. */
  run?: () => void;
  to?: string;
}

const commands = shallowReactive(new Map<string, Command>());
const SEQUENCE_MS = 900;
let pending = '';
let pendingAt = 0;

let navigate: (to: string) => void = () => {};

/** The router, given once by main.ts. */
export function navigateWith(go: (to: string) => void): void {
  navigate = go;
}

export function goTo(to: string): void {
  navigate(to);
}

export function execute(command: Command): void {
  command.run?.();
  if (command.to) goTo(command.to);
}

export function register(command: Command): () => void {
  commands.set(command.id, command);
  return () => {
    if (commands.get(command.id) === command) commands.delete(command.id);
  };
}

/** Registers for as long as the calling component lives. */
export function useCommands(list: readonly Command[]): void {
  const removers = list.map(register);
  onScopeDispose(() => removers.forEach((remove) => remove()));
}

/** The command's words in the language of the screen. */
export function titleOf(command: Command, t: (key: string) => string): string {
  return typeof command.title === 'string' ? t(command.title) : command.title();
}

export function available(): Command[] {
  return [...commands.values()].filter((command) => command.when?.() ?? true);
}

function isTyping(target: EventTarget | null): boolean {
  const element = target as HTMLElement | null;
  return Boolean(element?.closest?.('input, textarea, select, [contenteditable=true]'));
}

/** Runs the command of a key; true when one was found. */
export function press(event: KeyboardEvent): boolean {
  // While an input method composes Chinese, keys belong to it.
  if (event.isComposing || event.key === 'Process' || event.defaultPrevented) return false;
  const stroke = strokeName(event);
  const typing = isTyping(event.target) || Boolean(document.querySelector('dialog[open]'));
  const now = performance.now();
  const sequence = pending && now - pendingAt < SEQUENCE_MS ? `${pending} ${stroke}` : stroke;
  const offered = available().filter((command) => command.keys && (!typing || command.everywhere));
  const found = offered.find((command) => command.keys === sequence) ?? offered.find((command) => command.keys === stroke);
  pending = '';
  if (found) {
    event.preventDefault();
    execute(found);
    return true;
  }
  if (!typing && offered.some((command) => command.keys?.startsWith(`${stroke} `))) {
    pending = stroke;
    pendingAt = now;
  }
  return false;
}

/** The only listener for keys in the console. */
export function listenForKeys(): void {
  document.addEventListener('keydown', (event) => void press(event));
}
