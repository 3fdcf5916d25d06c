import { inject, type InjectionKey, type Ref } from 'vue';

/** What a field tells the control inside it: ids for label and note, and whether it is wrong. */
export interface FieldContext {
  id: string;
  noteId: string;
  error: Readonly<Ref<string>>;
}

export const fieldKey: InjectionKey<FieldContext> = Symbol('field');

export function useField(): FieldContext | null {
  return inject(fieldKey, null);
}
