import { api, unwrap } from '@huitouke/api';
import { useToasts } from '@huitouke/ui';
import { useMutation, useQueryClient } from '@tanstack/vue-query';
import { useI18n } from 'vue-i18n';
import { keys } from './queries';

/** Entering that a customer wants no offers, and that they may come again. */
export function useOffers(customerId: () => string, saved: () => void) {
  const { t } = useI18n();
  const cache = useQueryClient();
  const toasts = useToasts();
  const path = () => ({ params: { path: { customer_id: customerId() } } });
  const done = (card: { id: string }) => {
    saved();
    cache.setQueryData(keys.detail(card.id), card);
    toasts.say(t('common.saved'));
    return cache.invalidateQueries({ queryKey: keys.lists });
  };

  const refuse = useMutation({
    mutationFn: (note: string) => unwrap(api.POST('/api/customers/{customer_id}/marketing/refusals', { ...path(), body: { note: note.trim() || null } })),
    onSuccess: done,
  });
  const allow = useMutation({
    mutationFn: (reason: string) => unwrap(api.POST('/api/customers/{customer_id}/marketing/allowances', { ...path(), body: { reason: reason.trim() } })),
    onSuccess: done,
  });
  return { refuse, allow };
}
