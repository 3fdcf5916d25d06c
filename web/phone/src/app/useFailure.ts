import { ref, type Ref } from 'vue';
import { useI18n } from 'vue-i18n';
import type { SandboxError } from '../sandbox/client';
import { asSandboxError } from './useResource';

/** Words for what went wrong, and a line that shows the last failure of an action until the next one succeeds. */
export function useFailure(): { failure: Ref<string>; words: (error: SandboxError) => string; attempt: (action: () => Promise<unknown>) => Promise<boolean> } {
  const { t } = useI18n();
  const failure = ref('');
  const words = (error: SandboxError): string => (error.unreachable ? t('error.unreachable') : t('error.refused', { reason: error.message }));

  async function attempt(action: () => Promise<unknown>): Promise<boolean> {
    try {
      await action();
      failure.value = '';
      return true;
    } catch (error) {
      failure.value = words(asSandboxError(error));
      return false;
    }
  }

  return { failure, words, attempt };
}
