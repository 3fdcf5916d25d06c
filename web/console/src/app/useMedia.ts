import { NARROW_WIDTH_PX, PHONE_WIDTH_PX } from '@huitouke/ui';
import { readonly, ref, type Ref } from 'vue';

function watchMedia(query: string): Readonly<Ref<boolean>> {
  const media = window.matchMedia(query);
  const matches = ref(media.matches);
  media.addEventListener('change', (event) => (matches.value = event.matches));
  return readonly(matches);
}

let phone: Readonly<Ref<boolean>> | undefined;
let narrow: Readonly<Ref<boolean>> | undefined;

export function usePhone(): Readonly<Ref<boolean>> {
  return (phone ??= watchMedia(`(max-width: ${PHONE_WIDTH_PX}px)`));
}

export function useNarrow(): Readonly<Ref<boolean>> {
  return (narrow ??= watchMedia(`(max-width: ${NARROW_WIDTH_PX}px)`));
}
