import { api, unwrap, type Ledger, type LedgerChange } from '@huitouke/api';
import { useMutation, useQueryClient } from '@tanstack/vue-query';
import { toastProblem } from '@/app/problem';
import { keys } from './queries';

/** What can be said of an entry; each answer is the whole ledger, for days move with it. */
export function useLedger(name: string) {
  const cache = useQueryClient();
  const params = { path: { prerequisite: name } };
  const keep = (ledger: Ledger): void => void cache.setQueryData(keys.ledger, ledger);
  return {
    change: useMutation({
      mutationFn: (body: LedgerChange) => unwrap(api.PATCH('/api/prerequisites/{prerequisite}', { params, body })),
      onSuccess: keep,
      onError: toastProblem,
    }),
    enter: useMutation({
      mutationFn: (values: Record<string, string>) => unwrap(api.PUT('/api/prerequisites/{prerequisite}/values', { params, body: { values } })),
      onSuccess: keep,
    }),
    check: useMutation({
      mutationFn: () => unwrap(api.POST('/api/prerequisites/{prerequisite}/check', { params })),
      onSuccess: keep,
      onError: toastProblem,
    }),
    handOver: useMutation({
      mutationFn: (label: string) => unwrap(api.POST('/api/prerequisites/{prerequisite}/links', { params, body: { label } })),
      onSuccess: () => cache.invalidateQueries({ queryKey: keys.ledger }),
    }),
    takeBack: useMutation({
      mutationFn: (link_id: string) => unwrap(api.DELETE('/api/prerequisite-links/{link_id}', { params: { path: { link_id } } })),
      onSuccess: () => cache.invalidateQueries({ queryKey: keys.ledger }),
      onError: toastProblem,
    }),
  };
}
