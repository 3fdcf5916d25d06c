import { onScopeDispose, ref, type Ref } from 'vue';
import { onBeforeRouteLeave } from 'vue-router';

/** Asks before a page with unsaved changes is left: `asking` opens the question, `answer` gives its answer. */
export function useLeaving(dirty: () => boolean): { asking: Ref<boolean>; answer: (leave: boolean) => void } {
  const asking = ref(false);
  let decide: ((leave: boolean) => void) | null = null;

  function answer(leave: boolean): void {
    asking.value = false;
    decide?.(leave);
    decide = null;
  }

  onBeforeRouteLeave(() => {
    if (!dirty()) return true;
    decide?.(false);
    asking.value = true;
    return new Promise<boolean>((resolve) => (decide = resolve));
  });

  // The browser's own question, where the whole page goes.
  const onUnload = (event: BeforeUnloadEvent): void => {
    if (dirty()) event.preventDefault();
  };
  window.addEventListener('beforeunload', onUnload);
  onScopeDispose(() => window.removeEventListener('beforeunload', onUnload));
  return { asking, answer };
}
