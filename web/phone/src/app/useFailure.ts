import { ref, type Ref } from 'vue';
import { useI18n } from 'vue-i18n';
import type { SandboxError } from '../sandbox/client';
import { asSandboxError } from './useResource';

/** `known`: own words for an expected status, by their key. */
type Attempt = (action: () => Promise<unknown>, known?: Record<number, string>) => Promise<boolean>;

/** Words for what went wrong, and a line that shows the last failure of an action until the next one succeeds. */
export function useFailure(): { failure: Ref<string>; words: (error: SandboxError) => string; attempt: Attempt } {
  const { t } = useI18n();
  const failure = ref('');
  const words = (error: SandboxError): string => (error.unreachable ? t('error.unreachable') : t('error.refused', { reason: error.message }));

  const attempt: Attempt = async (action, known = {}) => {
    try {
      await action();
      failure.value = '';
      return true;
    } catch (error) {
      const refused = asSandboxError(error);
      const own = known[refused.status];
      failure.value = own ? t(own) : words(refused);
      return false;
    }
  };

  return { failure, words, attempt };
}
