import { api, unwrap } from '@huitouke/api';
import { useToasts } from '@huitouke/ui';
import { useMutation, useQueryClient } from '@tanstack/vue-query';
import { useI18n } from 'vue-i18n';
import { toastProblem } from '@/app/problem';
import { keys } from './queries';

/** Naming who follows a customer, and taking it back. */
export function useFollowing(customerId: () => string, added: () => void) {
  const { t } = useI18n();
  const cache = useQueryClient();
  const toasts = useToasts();
  const path = (staffId: string) => ({ params: { path: { customer_id: customerId(), staff_id: staffId } } });
  const renew = () => cache.invalidateQueries({ queryKey: keys.all });

  const add = useMutation({
    mutationFn: (staffId: string) => unwrap(api.PUT('/api/customers/{customer_id}/followers/{staff_id}', path(staffId))),
    onSuccess: () => {
      added();
      return renew();
    },
    onError: toastProblem,
  });
  const remove = useMutation({
    mutationFn: (one: { id: string; name: string }) => unwrap(api.DELETE('/api/customers/{customer_id}/followers/{staff_id}', path(one.id))),
    onSuccess: (_gone, one) => {
      toasts.say(t('customers.followers_removed', { name: one.name }), () => add.mutate(one.id));
      return renew();
    },
    onError: toastProblem,
  });
  return { add, remove };
}
