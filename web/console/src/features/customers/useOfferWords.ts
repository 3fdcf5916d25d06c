import { useI18n } from 'vue-i18n';

interface Refused {
  source: string;
  channel: string;
  by: string | null;
}

/** Who said that somebody gets no offers, and in which channel where it isn't all. */
export function useOfferWords(): (one: Refused) => string {
  const { t, te } = useI18n();
  return (one) => {
    const source = t(`customers.offers_source.${one.source}`, { name: one.by ?? '' });
    if (one.channel === 'all') return source;
    // Channels of plug-ins bring no words for this page.
    const key = `customers.channel.${one.channel}`;
    return `${source} · ${t('customers.offers_in_channel', { channel: te(key) ? t(key) : one.channel })}`;
  };
}
