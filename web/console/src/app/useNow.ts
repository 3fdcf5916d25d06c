import { readonly, ref, type Ref } from 'vue';

const TICK_MS = 20_000;
const now = ref(new Date());
let timer: ReturnType<typeof setInterval> | undefined;

/** One clock for the page; "3 min ago" everywhere moves with it. */
export function useNow(): Readonly<Ref<Date>> {
  timer ??= setInterval(() => (now.value = new Date()), TICK_MS);
  return readonly(now) as Readonly<Ref<Date>>;
}
