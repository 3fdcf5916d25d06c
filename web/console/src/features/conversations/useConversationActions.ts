import type { ConversationDetail } from '@huitouke/api';
import type { MenuItem } from '@huitouke/ui';
import { IconAssistant, IconClose, IconHandBack, IconPanel, IconPause, IconPhone, IconResume, IconTake } from '@huitouke/ui/icons';
import { computed, type Component, type ComputedRef } from 'vue';
import { useI18n } from 'vue-i18n';
import { keyLabel } from '@/app/commands/keys';
import { useCommands, type Command } from '@/app/commands/registry';
import { useSession } from '@/app/session/store';
import type { Move } from './handling';
import { isPaused } from './rowWords';

interface Doors {
  move: (move: Move) => void;
  close: () => void;
  handOver: () => void;
  details: () => void;
}

interface Action extends Command {
  title: string;
  icon: Component;
  run: () => void;
}

/** Everything one can do with the open conversation: one list for menu, palette and keys. */
export function useConversationActions(
  conversation: () => ConversationDetail,
  doors: Doors,
): { items: ComputedRef<MenuItem[]>; run: (id: string) => void } {
  const { t } = useI18n();
  const can = (): ConversationDetail['can'] => conversation().can;
  const open = (): boolean => conversation().state === 'open';
  const paused = (): boolean => isPaused(conversation(), Date.now());
  const session = useSession();
  const serves = (): boolean => open() && session.allows('conversations.reply');
  const group = 'page' as const;

  const actions: Action[] = [
    { id: 'take', title: 'conversations.action.take', group, icon: IconTake, keys: 't', when: () => can().take, run: () => doors.move({ kind: 'take' }) },
    { id: 'hand_back', title: 'conversations.action.hand_back', group, icon: IconAssistant, keys: 'b', when: () => can().hand_back, run: () => doors.move({ kind: 'hand_back' }) },
    {
      id: 'release',
      title: 'conversations.action.release',
      group,
      icon: IconHandBack,
      when: () => open() && conversation().handler === 'agent' && conversation().staff !== null && can().hand_back,
      run: () => doors.move({ kind: 'hand_over', to: 'console' }),
    },
    { id: 'hand_over_wecom', title: 'conversations.action.hand_over_wecom', group, icon: IconPhone, keys: 'w', when: () => can().hand_over_wecom, run: doors.handOver },
    {
      id: 'pause',
      title: 'conversations.action.pause',
      group,
      icon: IconPause,
      keys: 'p',
      when: () => serves() && conversation().handler === 'assistant' && !paused(),
      run: () => doors.move({ kind: 'pause', minutes: null }),
    },
    { id: 'resume', title: 'conversations.action.resume', group, icon: IconResume, keys: 'p', when: () => serves() && paused(), run: () => doors.move({ kind: 'resume' }) },
    { id: 'close', title: 'conversations.action.close', group, icon: IconClose, keys: 'e', when: () => can().close, run: doors.close },
    { id: 'details', title: 'conversations.details', group, icon: IconPanel, keys: 'i', run: doors.details },
  ];
  useCommands(actions.map((action) => ({ ...action, id: `conversation.${action.id}` })));

  return {
    items: computed(() =>
      actions
        .filter((action) => action.when?.() ?? true)
        .map((action) => ({ id: action.id, label: t(action.title), icon: action.icon, keys: action.keys ? keyLabel(action.keys) : undefined })),
    ),
    run: (id) => actions.find((action) => action.id === id)?.run(),
  };
}
