import { api, unwrap, type EntryState, type KnowledgeEntry, type KnowledgeEntryInput } from '@huitouke/api';
import { useToasts } from '@huitouke/ui';
import { useMutation, useQueryClient } from '@tanstack/vue-query';
import { useI18n } from 'vue-i18n';
import type { Paged } from '@/app/data/paged';
import { toastProblem } from '@/app/problem';
import { keys } from './queries';

const ENTRIES = [...keys.knowledge, 'entries'];

/** What can be done with entries of a list: shown at once, rolled back when refused, undone on demand. */
export function useEntryChanges() {
  const { t } = useI18n();
  const cache = useQueryClient();
  const toasts = useToasts();

  function patchLists(change: (items: KnowledgeEntry[]) => KnowledgeEntry[]): void {
    cache.setQueriesData<Paged<KnowledgeEntry>>({ queryKey: ENTRIES }, (list) =>
      list ? { ...list, pages: list.pages.map((page) => ({ ...page, items: change(page.items) })) } : list,
    );
  }
  const renew = () => cache.invalidateQueries({ queryKey: keys.knowledge });

  const turning = useMutation({
    mutationFn: ({ entry, state }: { entry: KnowledgeEntry; state: EntryState }) =>
      unwrap(api.PATCH('/api/knowledge/entries/{entry_id}', { params: { path: { entry_id: entry.id } }, body: { state } })),
    onMutate: ({ entry, state }) => patchLists((items) => items.map((item) => (item.id === entry.id ? { ...item, state } : item))),
    onError: toastProblem,
    onSettled: renew,
  });

  const restoring = useMutation({
    mutationFn: (id: string) => unwrap(api.POST('/api/knowledge/entries/{entry_id}/restore', { params: { path: { entry_id: id } } })),
    onError: toastProblem,
    onSettled: renew,
  });

  const removing = useMutation({
    mutationFn: (entry: KnowledgeEntry) => unwrap(api.DELETE('/api/knowledge/entries/{entry_id}', { params: { path: { entry_id: entry.id } } })),
    onMutate: (entry) => patchLists((items) => items.filter((item) => item.id !== entry.id)),
    onSuccess: (_nothing, entry) => toasts.say(t('assistant.knowledge.removed'), () => restoring.mutate(entry.id)),
    onError: toastProblem,
    onSettled: renew,
  });

  return {
    turn: (entry: KnowledgeEntry, state: EntryState) => turning.mutate({ entry, state }),
    remove: (entry: KnowledgeEntry) => removing.mutate(entry),
  };
}

/** Writes one entry: a new one, or the change of the version that was seen. */
export function useEntrySave(done: () => void) {
  const { t } = useI18n();
  const cache = useQueryClient();
  const toasts = useToasts();
  return useMutation({
    mutationFn: ({ seen, input }: { seen: KnowledgeEntry | null; input: KnowledgeEntryInput }) =>
      seen
        ? unwrap(api.PATCH('/api/knowledge/entries/{entry_id}', { params: { path: { entry_id: seen.id } }, body: { ...input, version: seen.version } }))
        : unwrap(api.POST('/api/knowledge/entries', { body: input })),
    onSuccess: async () => {
      toasts.say(t('common.saved'));
      done();
      await cache.invalidateQueries({ queryKey: keys.knowledge });
    },
  });
}
