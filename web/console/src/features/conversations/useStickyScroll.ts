import { nextTick, onMounted, onScopeDispose, ref, watch, type Ref } from 'vue';

/** This close to the bottom counts as being there. */
const BOTTOM_PX = 60;
/** This close to the top older messages are fetched. */
const TOP_PX = 120;

interface Ends {
  /** Changes when something was put in front. */
  first: Ref<string | null>;
  /** Changes when something was added at the end. */
  last: Ref<string | null>;
  atTop: () => void;
}

/** A chat sticks to its bottom until the person scrolls, and keeps its place when older messages come. */
export function useStickyScroll(scroller: Ref<HTMLElement | null>, ends: Ends) {
  const away = ref(false);
  let fromBottom = 0;
  let observer: ResizeObserver | undefined;

  function measure(): number {
    const box = scroller.value;
    return box ? box.scrollHeight - box.scrollTop - box.clientHeight : 0;
  }

  function toBottom(): void {
    const box = scroller.value;
    if (box) box.scrollTop = box.scrollHeight;
    away.value = false;
    fromBottom = 0;
  }

  function onScroll(): void {
    fromBottom = measure();
    away.value = fromBottom > BOTTOM_PX;
    if (scroller.value && scroller.value.scrollTop < TOP_PX) ends.atTop();
  }

  function keepPlace(): void {
    const box = scroller.value;
    if (!box) return;
    if (away.value) box.scrollTop = box.scrollHeight - box.clientHeight - fromBottom;
    else toBottom();
  }

  /** A picture has its size now: what is below it moves, what is looked at stays. */
  function onPicture(event: Event): void {
    const box = scroller.value;
    const picture = event.target instanceof HTMLElement ? event.target.getBoundingClientRect() : null;
    if (away.value && box && picture && picture.bottom > box.getBoundingClientRect().top) fromBottom = measure();
    else keepPlace();
  }

  watch(ends.first, (_now, before) => before && void nextTick(keepPlace));
  watch(ends.last, () => {
    if (!away.value) void nextTick(toBottom);
    else void nextTick(() => (fromBottom = measure()));
  });

  onMounted(() => {
    toBottom();
    // Pictures that arrive later, a keyboard that opens: the bottom stays the bottom.
    observer = new ResizeObserver(() => {
      if (!away.value) toBottom();
    });
    if (scroller.value) {
      observer.observe(scroller.value);
      scroller.value.addEventListener('load', onPicture, true);
    }
  });
  onScopeDispose(() => observer?.disconnect());
  return { away, toBottom, onScroll };
}
