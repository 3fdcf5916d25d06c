import { api, unwrap } from '@huitouke/api';
import { IconKnowledge } from '@huitouke/ui/icons';
import type { Finder } from '@/app/commands/finding';
import { VIEW } from './permissions';

/** Entries of the knowledge by question, other wordings or answer. */
export const entryFinder: Finder = {
  id: 'knowledge',
  title: 'assistant.found',
  permissions: VIEW,
  find: async (q, limit, signal) => {
    const page = await unwrap(api.GET('/api/knowledge/entries', { params: { query: { q, limit } }, signal }));
    return page.items.map((one) => ({ id: one.id, label: one.question, hint: one.answer, icon: IconKnowledge, to: `/assistant/knowledge?entry=${one.id}` }));
  },
};
