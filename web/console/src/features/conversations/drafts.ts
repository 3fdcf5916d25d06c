import { DRAFT_SAVE_MS } from '@huitouke/ui';
import { defineStore } from 'pinia';
import { reactive, watch } from 'vue';

const STORED = 'huitouke.drafts';

function read(): Record<string, string> {
  try {
    return JSON.parse(localStorage.getItem(STORED) ?? '{}') as Record<string, string>;
  } catch {
    // Unreadable drafts are lost already; starting without them is all that is left.
    return {};
  }
}

/** What was written and not sent, per conversation, kept on this device. */
export const useDrafts = defineStore('drafts', () => {
  const texts = reactive(new Map(Object.entries(read())));
  let timer: ReturnType<typeof setTimeout> | undefined;

  function save(): void {
    localStorage.setItem(STORED, JSON.stringify(Object.fromEntries(texts)));
  }
  watch(texts, () => {
    clearTimeout(timer);
    timer = setTimeout(save, DRAFT_SAVE_MS);
  });
  window.addEventListener('pagehide', save);

  return {
    of: (conversationId: string): string => texts.get(conversationId) ?? '',
    put: (conversationId: string, text: string): void => {
      if (text) texts.set(conversationId, text);
      else texts.delete(conversationId);
    },
  };
});
