import { api, unwrap } from '@huitouke/api';
import { useToasts } from '@huitouke/ui';
import { useMutation, useQuery, useQueryClient } from '@tanstack/vue-query';
import { computed } from 'vue';
import { useI18n } from 'vue-i18n';
import { toastProblem } from '@/app/problem';
import { useSession } from '@/app/session/store';
import { useFormat } from '@/app/useFormat';
import { VIEW } from './permissions';
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

/** Whether the assistant is silent for all customers now, and a sentence that says who did it and until when. */
export function useGlobalPause() {
  const { t } = useI18n();
  const session = useSession();
  const { now, moment } = useFormat();
  const settings = useQuery(computed(() => ({ ...settingsQuery(), enabled: session.allowsAny(VIEW) })));
  const paused = computed(() => {
    const pause = settings.data.value;
    return Boolean(pause?.paused) && (!pause?.paused_until || Date.parse(pause.paused_until) > now.value.getTime());
  });
  const words = computed(() => {
    const { paused_by: name, paused_until: until } = settings.data.value ?? {};
    const by = name ? t('assistant.pause.by', { name }) : t('assistant.pause.by_nobody');
    return until ? t('assistant.pause.ends', { by, time: moment(until) }) : t('assistant.pause.ends_told', { by });
  });
  return { paused, words };
}
