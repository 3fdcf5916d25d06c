import { api, unwrap, type Page, type Staff } from '@huitouke/api';
import { useToasts } from '@huitouke/ui';
import { useMutation, useQueryClient, type InfiniteData } from '@tanstack/vue-query';
import { useI18n } from 'vue-i18n';
import { toastProblem } from '@/app/problem';
import { keys } from './queries';

interface Turn {
  person: Staff;
  state: 'active' | 'disabled';
}

/** Lets a person in or out: shown at once, taken back when refused, undone on demand. */
export function useStaffState() {
  const { t } = useI18n();
  const cache = useQueryClient();
  const toasts = useToasts();

  function show(id: string, state: Staff['state']): void {
    cache.setQueryData<InfiniteData<Page<Staff>>>(keys.staff, (list) =>
      list ? { ...list, pages: list.pages.map((page) => ({ ...page, items: page.items.map((one) => (one.id === id ? { ...one, state } : one)) })) } : list,
    );
  }

  const turning = useMutation({
    mutationFn: ({ person, state }: Turn) =>
      unwrap(api.PATCH('/api/staff/{staff_id}', { params: { path: { staff_id: person.id } }, body: { state } })),
    onMutate: ({ person, state }) => show(person.id, state),
    onSuccess: (_now, { person, state }) => {
      const back = state === 'active' ? 'disabled' : 'active';
      toasts.say(t(`organization.staff.turned.${state}`, { name: person.name }), () => turning.mutate({ person, state: back }));
    },
    onError: (error, { person, state }) => {
      show(person.id, state === 'active' ? 'disabled' : 'active');
      toastProblem(error);
    },
    onSettled: () => cache.invalidateQueries({ queryKey: keys.staff }),
  });

  return { turn: (person: Staff, state: Turn['state']) => turning.mutate({ person, state }) };
}
