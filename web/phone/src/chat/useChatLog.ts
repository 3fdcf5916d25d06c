import { ref, shallowRef, watch, type Ref, type ShallowRef } from 'vue';
import { sandboxNow } from '../app/useClock';
import { asSandboxError } from '../app/useResource';
import type { SandboxError } from '../sandbox/client';
import type { Message, Notice, Sent } from '../sandbox/types';
import { follow, fresh, merge, type ChatKey, type ChatLog, type ChatSource } from './log';
import type { Pending } from './timeline';

/** What a person sends: how it looks until it has arrived, and how it is delivered (again, after a failure). */
export interface Draft {
  message: Partial<Message> & Pick<Message, 'msgtype' | 'text' | 'sender'>;
  deliver: () => Promise<Sent>;
}

export interface OpenChat {
  log: ShallowRef<ChatLog | null>;
  error: ShallowRef<SandboxError | null>;
  pending: Ref<Pending[]>;
  reload: () => Promise<void>;
  loadOlder: () => Promise<void>;
  take: (notices: Notice[]) => void;
  send: (draft: Draft) => Promise<void>;
  retry: (key: string) => Promise<void>;
  explain: (words: (error: SandboxError) => string) => void;
}

/** One open chat: its messages, kept up to date by notices, and what is being sent. */
export function useChatLog(key: () => ChatKey | null, sourceOf: (key: ChatKey) => ChatSource): OpenChat {
  const log = shallowRef<ChatLog | null>(null);
  const error = shallowRef<SandboxError | null>(null);
  const pending = ref<Pending[]>([]);
  const drafts = new Map<string, Draft>();
  let words = (failure: SandboxError): string => failure.message;
  let chat = 0;
  let count = 0;
  /** Changes to the log happen one after another, so that none overwrites a newer one. */
  let queue: Promise<void> = Promise.resolve();

  function change(step: (log: ChatLog | null, source: ChatSource, key: ChatKey) => Promise<ChatLog | null>): Promise<void> {
    const mine = chat;
    queue = queue.then(async () => {
      const open = key();
      if (mine !== chat || !open) return;
      try {
        const next = await step(log.value, sourceOf(open), open);
        if (mine !== chat) return;
        log.value = next;
        error.value = null;
        const arrived = new Set(next?.items.map((one) => one.msgid));
        pending.value = pending.value.filter((one) => !arrived.has(one.message.msgid));
      } catch (failure) {
        if (mine === chat) error.value = asSandboxError(failure);
      }
    });
    return queue;
  }

  const reload = (): Promise<void> => change(async (_, source) => fresh(await source.newest()));

  const loadOlder = (): Promise<void> =>
    change(async (held, source) => {
      const first = held?.items[0];
      if (!held || !first) return held;
      const page = await source.older(first.seq);
      return merge(held, page.items, page.has_more);
    });

  function take(notices: Notice[]): void {
    void change(async (held, source, open) => (held ? follow(held, notices, open, source) : fresh(await source.newest())));
  }

  async function deliver(key: string): Promise<void> {
    const draft = drafts.get(key);
    if (!draft) return;
    const mine = chat;
    try {
      const sent = await draft.deliver();
      drafts.delete(key);
      if (mine !== chat) return;
      pending.value = pending.value.map((one) => (one.key === key ? { ...one, message: { ...one.message, msgid: sent.msgid } } : one));
      await change(async (held, source) => (held ? merge(held, [await source.one(sent.msgid)]) : held));
    } catch (failure) {
      const reason = words(asSandboxError(failure));
      pending.value = pending.value.map((one) => (one.key === key ? { ...one, error: reason } : one));
    }
  }

  async function send(draft: Draft): Promise<void> {
    const open = key();
    if (!open) return;
    const id = `pending-${++count}`;
    const message: Message = {
      ...open, seq: 0, msgid: '', sender_name: '', sender_avatar_url: '', sent_at: sandboxNow(), state: 'accepted', recalled: false, ...draft.message,
    };
    drafts.set(id, draft);
    pending.value = [...pending.value, { key: id, message, error: null }];
    await deliver(id);
  }

  async function retry(id: string): Promise<void> {
    pending.value = pending.value.map((one) => (one.key === id ? { ...one, error: null } : one));
    await deliver(id);
  }

  watch(
    () => JSON.stringify(key()),
    () => {
      chat++;
      log.value = null;
      error.value = null;
      pending.value = [];
      drafts.clear();
      if (key()) void reload();
    },
    { immediate: true },
  );

  return { log, error, pending, reload, loadOlder, take, send, retry, explain: (next) => (words = next) };
}
