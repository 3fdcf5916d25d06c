import { onScopeDispose, ref, toValue, watch, type MaybeRefOrGetter, type Ref } from 'vue';
import { SKELETON_DELAY_MS, SKELETON_MINIMUM_MS } from '../timing';

/**
 * True while something loads, but only after 300 ms and then for at least 500: a fast answer shows no
 * skeleton, a slow one no flicker.
 */
export function useDelayed(loading: MaybeRefOrGetter<boolean>): Readonly<Ref<boolean>> {
  const shown = ref(false);
  let timer: ReturnType<typeof setTimeout> | undefined;
  let shownAt = 0;

  watch(
    () => toValue(loading),
    (now) => {
      clearTimeout(timer);
      if (now && !shown.value) {
        timer = setTimeout(() => {
          shown.value = true;
          shownAt = performance.now();
        }, SKELETON_DELAY_MS);
      } else if (!now && shown.value) {
        const left = SKELETON_MINIMUM_MS - (performance.now() - shownAt);
        timer = setTimeout(() => (shown.value = false), Math.max(0, left));
      }
    },
    { immediate: true },
  );
  onScopeDispose(() => clearTimeout(timer));
  return shown;
}
