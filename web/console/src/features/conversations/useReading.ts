import { api, unwrap, type ConversationDetail } from '@huitouke/api';
import { useQueryClient } from '@tanstack/vue-query';
import { useDocumentVisibility } from './visibility';
import { watch, type Ref } from 'vue';
import { applyRow, rowOf } from './live';
import { keys } from './queries';
import { useSession } from '@/app/session/store';

/** What is open and looked at is read: the count goes at once here, then on the server. */
export function useReading(conversation: Ref<ConversationDetail | null>): void {
  const cache = useQueryClient();
  const session = useSession();
  const visible = useDocumentVisibility();

  watch(
    [() => conversation.value?.id, () => conversation.value?.unread, visible],
    ([id, unread, looking]) => {
      const open = conversation.value;
      if (!open || !id || !unread || !looking) return;
      const read = { ...open, unread: 0 };
      cache.setQueryData(keys.detail(id), read);
      applyRow(cache, rowOf(read), session.me?.staff.id ?? null);
      unwrap(api.POST('/api/conversations/{conversation_id}/read', { params: { path: { conversation_id: id } } })).catch(() => {
        // The next event of this conversation brings the true number back.
      });
    },
    { immediate: true },
  );
}
