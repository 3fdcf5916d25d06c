import { useI18n } from 'vue-i18n';
import { useWorded } from './useWorded';

/** What a callback was about, and why one was refused. */
export function useCallbackWords() {
  const { t } = useI18n();
  const worded = useWorded();
  return {
    eventWords: (event: string): string => (event ? worded(`organization.callback.event_is.${event}`, event) : t('organization.callback.event_unknown')),
    reasonWords: (reason: string | null): string => (reason ? worded(`organization.callback.reason.${reason}`, reason) : ''),
  };
}
