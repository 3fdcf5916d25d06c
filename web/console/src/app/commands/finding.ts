import { SEARCH_DELAY_MS } from '@huitouke/ui';
import { onScopeDispose, ref, watch, type Component, type Ref } from 'vue';
import { useSession } from '../session/store';

/** Something of the tenant's that was found by words: a conversation, a customer, an entry. */
export interface Found {
  id: string;
  label: string;
  /** A second, quieter text: the last words, the answer. */
  hint?: string;
  icon: Component;
  to: string;
}

/** How one feature finds its things; the palette asks all of them at once. */
export interface Finder {
  id: string;
  /** A key of the texts, above what was found. */
  title: string;
  permissions: readonly string[];
  find: (words: string, limit: number, signal: AbortSignal) => Promise<readonly Found[]>;
}

export interface FoundGroup {
  finder: Finder;
  found: readonly Found[];
}

/** So many of each kind; whoever needs more opens the list itself. */
export const FOUND_LIMIT = 5;

/**
 * What the finders give for the words, a moment after the typing stopped. The groups that answered stand there
 * at once, in the finders' order; what was asked for earlier words never arrives. `failed` when one could not answer.
 */
export function useFinding(finders: readonly Finder[], words: Ref<string>) {
  const session = useSession();
  const groups = ref<FoundGroup[]>([]) as Ref<FoundGroup[]>;
  const busy = ref(false);
  const failed = ref(false);
  let timer: ReturnType<typeof setTimeout> | undefined;
  let asked: AbortController | undefined;

  async function ask(wanted: string): Promise<void> {
    const controller = new AbortController();
    asked = controller;
    const answers = new Map<Finder, readonly Found[]>();
    const allowed = finders.filter((finder) => session.allowsAny(finder.permissions));
    await Promise.all(
      allowed.map(async (finder) => {
        try {
          answers.set(finder, (await finder.find(wanted, FOUND_LIMIT, controller.signal)).slice(0, FOUND_LIMIT));
        } catch {
          // Said once for all of them, in the palette.
          if (!controller.signal.aborted) failed.value = true;
        }
        if (controller.signal.aborted) return;
        groups.value = allowed.flatMap((one) => (answers.get(one)?.length ? [{ finder: one, found: answers.get(one) ?? [] }] : []));
      }),
    );
    if (!controller.signal.aborted) busy.value = false;
  }

  function stop(): void {
    clearTimeout(timer);
    asked?.abort();
  }

  watch(
    words,
    (now) => {
      stop();
      failed.value = false;
      const wanted = now.trim();
      busy.value = wanted !== '';
      if (!wanted) groups.value = [];
      else timer = setTimeout(() => void ask(wanted), SEARCH_DELAY_MS);
    },
    { flush: 'sync' },
  );
  onScopeDispose(stop);
  return { groups, busy, failed };
}
