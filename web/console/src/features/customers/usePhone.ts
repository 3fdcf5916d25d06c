import { api, unwrap } from '@huitouke/api';
import { useToasts } from '@huitouke/ui';
import { useMutation, useQueryClient } from '@tanstack/vue-query';
import { useI18n } from 'vue-i18n';
import { toastProblem } from '@/app/problem';
import { keys } from './queries';

/** Entering a customer's number, taking it away, and asking for the whole of it. What was asked for is kept nowhere. */
export function usePhone(customerId: () => string, saved: () => void) {
  const { t } = useI18n();
  const cache = useQueryClient();
  const toasts = useToasts();
  const path = () => ({ params: { path: { customer_id: customerId() } } });
  const done = (card: { id: string }) => {
    saved();
    cache.setQueryData(keys.detail(card.id), card);
    toasts.say(t('common.saved'));
  };

  const save = useMutation({
    mutationFn: (phone: string) => unwrap(api.PUT('/api/customers/{customer_id}/phone', { ...path(), body: { phone } })),
    onSuccess: done,
  });
  const remove = useMutation({
    mutationFn: () => unwrap(api.DELETE('/api/customers/{customer_id}/phone', path())),
    onSuccess: done,
    onError: toastProblem,
  });
  const reveal = useMutation({
    mutationFn: () => unwrap(api.POST('/api/customers/{customer_id}/phone/reveal', path())),
    gcTime: 0,
    onSuccess: () => cache.invalidateQueries({ queryKey: keys.readings(customerId()) }),
    onError: toastProblem,
  });
  return { save, remove, reveal };
}
