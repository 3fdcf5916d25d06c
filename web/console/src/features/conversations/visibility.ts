import { onScopeDispose, readonly, ref, type Ref } from 'vue';

/** Whether a person can see the page. */
export function useDocumentVisibility(): Readonly<Ref<boolean>> {
  const visible = ref(document.visibilityState === 'visible');
  const update = (): void => void (visible.value = document.visibilityState === 'visible');
  document.addEventListener('visibilitychange', update);
  onScopeDispose(() => document.removeEventListener('visibilitychange', update));
  return readonly(visible);
}
