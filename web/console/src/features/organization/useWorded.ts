import { useI18n } from 'vue-i18n';

/** The words for a code of the server's; what nobody has put into words yet is shown as it is. */
export function useWorded(): (key: string, code: string) => string {
  const { t, te } = useI18n();
  return (key, code) => (te(key) ? t(key) : code);
}
