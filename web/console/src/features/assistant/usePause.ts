import { api, unwrap } from '@huitouke/api';
import { useToasts } from '@huitouke/ui';
import { useMutation, useQuery, useQueryClient } from '@tanstack/vue-query';
import { useI18n } from 'vue-i18n';
import { toastProblem } from '@/app/problem';
import { keys, settingsQuery } from './queries';

export interface Pause {
  paused: boolean;
  minutes: number | null;
}

/** The switch that silences the assistant for all customers, with undo. */
export function usePause() {
  const { t } = useI18n();
  const cache = useQueryClient();
  const toasts = useToasts();
  const settings = useQuery(settingsQuery());
  const change = useMutation({
    mutationFn: ({ pause }: { pause: Pause; undoing?: boolean }) => unwrap(api.POST('/api/assistant/pause', { body: pause })),
    onSuccess: (now, { pause, undoing }) => {
      cache.setQueryData(keys.settings, now);
      if (undoing) return;
      const undo: Pause = { paused: !pause.paused, minutes: null };
      toasts.say(t(pause.paused ? 'assistant.pause.done' : 'assistant.pause.resumed'), () => change.mutate({ pause: undo, undoing: true }));
    },
    onError: toastProblem,
  });
  return { settings, set: (pause: Pause) => change.mutate({ pause }), busy: change.isPending };
}
