import { api, unwrap, type ConversationDetail } from '@huitouke/api';
import { useToasts } from '@huitouke/ui';
import { useMutation, useQueryClient } from '@tanstack/vue-query';
import { useI18n } from 'vue-i18n';
import { toastProblem } from '@/app/problem';
import { useSession } from '@/app/session/store';
import { applyConversation } from './live';
import { keys } from './queries';

export type Move =
  | { kind: 'take' }
  | { kind: 'hand_back' }
  | { kind: 'hand_over'; to: 'console' | 'wecom'; servicer?: string }
  | { kind: 'close' }
  | { kind: 'pause'; minutes: number | null }
  | { kind: 'resume' };

function request(id: string, move: Move): Promise<unknown> {
  const params = { path: { conversation_id: id } };
  switch (move.kind) {
    case 'take':
      return unwrap(api.POST('/api/conversations/{conversation_id}/take', { params }));
    case 'hand_back':
      return unwrap(api.POST('/api/conversations/{conversation_id}/hand-back', { params }));
    case 'hand_over':
      return unwrap(
        api.POST('/api/conversations/{conversation_id}/hand-over', {
          params,
          body: { to: move.to, ...(move.servicer && { servicer_userid: move.servicer }) },
        }),
      );
    case 'close':
      return unwrap(api.POST('/api/conversations/{conversation_id}/close', { params }));
    case 'pause':
      return unwrap(api.POST('/api/conversations/{conversation_id}/pause-assistant', { params, body: { paused: true, minutes: move.minutes } }));
    case 'resume':
      return unwrap(api.POST('/api/conversations/{conversation_id}/pause-assistant', { params, body: { paused: false, minutes: null } }));
  }
}

const UNTIL_TOLD = '2999-01-01T00:00:00Z';

/** What the move will make of the conversation, shown at once; the server's answer replaces it. */
export function foreseen(before: ConversationDetail, move: Move, me: { id: string; name: string }): ConversationDetail {
  switch (move.kind) {
    case 'take':
      return { ...before, handler: 'agent', staff: me, waiting_since: null };
    case 'hand_back':
      return { ...before, handler: 'assistant', staff: null, waiting_since: null, assistant_paused_until: null };
    case 'hand_over':
      return { ...before, handler: 'agent', staff: null };
    case 'close':
      return { ...before, state: 'closed' };
    case 'pause':
      return { ...before, assistant_paused_until: UNTIL_TOLD };
    case 'resume':
      return { ...before, assistant_paused_until: null };
  }
}

/** What takes a move back; what ends a session cannot be taken back. */
const OPPOSITE: Partial<Record<Move['kind'], Move>> = {
  take: { kind: 'hand_back' },
  hand_back: { kind: 'take' },
  pause: { kind: 'resume' },
  resume: { kind: 'pause', minutes: null },
};

/** Who handles a conversation, changed at once on the screen, rolled back when refused, with undo where there is one. */
export function useHandling(conversationId: () => string) {
  const { t } = useI18n();
  const cache = useQueryClient();
  const toasts = useToasts();
  const session = useSession();

  const mutation = useMutation({
    mutationFn: ({ id, move }: { id: string; move: Move; undoing?: boolean }) => request(id, move),
    onMutate: ({ id, move }) => {
      const before = cache.getQueryData<ConversationDetail>(keys.detail(id));
      const me = session.me?.staff;
      if (before && me) applyConversation(cache, foreseen(before, move, me), me.id);
      return { before };
    },
    onError: (error, { id }, context) => {
      if (context?.before) {
        cache.setQueryData(keys.detail(id), context.before);
        applyConversation(cache, context.before, session.me?.staff.id ?? null);
      }
      toastProblem(error);
    },
    onSuccess: (_answer, { id, move, undoing }) => {
      const opposite = OPPOSITE[move.kind];
      if (undoing) return;
      toasts.say(t(`conversations.done.${move.kind}`), opposite && (() => mutation.mutate({ id, move: opposite, undoing: true })));
    },
    onSettled: (_answer, _error, { id }) => {
      void cache.invalidateQueries({ queryKey: keys.detail(id) });
      void cache.invalidateQueries({ queryKey: keys.counts });
    },
  });

  return {
    move: (move: Move) => mutation.mutate({ id: conversationId(), move }),
    busy: mutation.isPending,
  };
}
