import { readonly, ref, type DeepReadonly, type Ref } from 'vue';
import { TOAST_MS, UNDO_MS } from '../timing';

export interface Toast {
  id: number;
  text: string;
  tone: 'plain' | 'danger';
  undo?: () => void;
}

const current = ref<Toast | null>(null);
let timer: ReturnType<typeof setTimeout> | undefined;
let last = 0;

function show(toast: Omit<Toast, 'id'>): void {
  clearTimeout(timer);
  current.value = { ...toast, id: ++last };
  timer = setTimeout(() => (current.value = null), toast.undo ? UNDO_MS : TOAST_MS);
}

/** One toast at a time, bottom centre; what can be taken back stays eight seconds. */
export function useToasts(): {
  current: DeepReadonly<Ref<Toast | null>>;
  say: (text: string, undo?: () => void) => void;
  fail: (text: string) => void;
  dismiss: () => void;
  undo: () => void;
} {
  return {
    current: readonly(current) as DeepReadonly<Ref<Toast | null>>,
    say: (text, undo) => show({ text, tone: 'plain', undo }),
    fail: (text) => show({ text, tone: 'danger' }),
    dismiss: () => (current.value = null),
    undo: () => {
      const undo = current.value?.undo;
      current.value = null;
      undo?.();
    },
  };
}
