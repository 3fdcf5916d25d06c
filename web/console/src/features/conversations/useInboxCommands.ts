import type { ConversationRow } from '@huitouke/api';
import { IconArrowDown, IconSearch } from '@huitouke/ui/icons';
import type { Ref } from 'vue';
import { useCommands } from '@/app/commands/registry';
import { useInbox, VIEWS } from './useInbox';

interface ListHandle {
  rows: Ref<readonly ConversationRow[]>;
  reveal: (index: number) => void;
  search: () => void;
}

/** Keys of the list; j and k walk the data, not what happens to be drawn. */
export function useInboxCommands({ rows, reveal, search }: ListHandle): void {
  const { openId, open, refine } = useInbox();

  function step(by: number): void {
    const here = rows.value.findIndex((row) => row.id === openId.value);
    const next = here < 0 ? 0 : Math.min(rows.value.length - 1, Math.max(0, here + by));
    const row = rows.value[next];
    if (!row) return;
    reveal(next);
    void open(row.id);
  }

  useCommands([
    { id: 'conversations.next', title: 'conversations.command.next', group: 'page', icon: IconArrowDown, keys: 'j', run: () => step(1) },
    { id: 'conversations.previous', title: 'conversations.command.previous', group: 'page', keys: 'k', run: () => step(-1) },
    { id: 'conversations.search', title: 'conversations.search', group: 'page', icon: IconSearch, keys: '/', run: search },
    {
      id: 'conversations.leave',
      title: 'conversations.command.leave',
      group: 'page',
      keys: 'escape',
      when: () => openId.value !== null,
      run: () => void open(null),
    },
    ...VIEWS.map((view, index) => ({
      id: `conversations.view.${view}`,
      title: `conversations.view.${view}`,
      group: 'go' as const,
      keys: `v ${index + 1}`,
      run: () => void refine({ view: view === 'all' ? '' : view, sort: '' }),
    })),
  ]);
}
