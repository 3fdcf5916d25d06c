import { computed, useAttrs, type ComputedRef } from 'vue';

/** Of what a parent writes on a control, class and style belong to its box, the rest to the element inside. */
export function useSplitAttrs(): { outer: ComputedRef<object>; inner: ComputedRef<object> } {
  const attrs = useAttrs();
  return {
    outer: computed(() => ({ class: attrs.class, style: attrs.style })),
    inner: computed(() => {
      const { class: _class, style: _style, ...rest } = attrs;
      return rest;
    }),
  };
}
