import { IconAdd } from '@huitouke/ui/icons';
import type { RouteMeta } from 'vue-router';
import type { Feature } from '@/app/feature';
import { useSession } from '@/app/session/store';
import { entryFinder } from './find';
import { live } from './live';
import { MANAGE, VIEW } from './permissions';

const meta = (title: string, permissions: readonly string[]): RouteMeta => ({ title, permissions });

export const assistant: Feature = {
  name: 'assistant',
  routes: [
    {
      path: 'assistant',
      component: () => import('./pages/AssistantLayout.vue'),
      redirect: '/assistant/knowledge',
      children: [
        { path: 'knowledge', component: () => import('./pages/KnowledgePage.vue'), meta: meta('assistant.knowledge.title', VIEW) },
        { path: 'questions', component: () => import('./pages/QuestionsPage.vue'), meta: meta('assistant.questions.title', MANAGE) },
        { path: 'import', component: () => import('./pages/ImportPage.vue'), meta: meta('assistant.import.title', MANAGE) },
        { path: 'try', component: () => import('./pages/TryPage.vue'), meta: meta('assistant.try.title', VIEW) },
        { path: 'settings', component: () => import('./pages/SettingsPage.vue'), meta: meta('assistant.settings.title', MANAGE) },
        { path: 'model', component: () => import('./pages/ModelPage.vue'), meta: meta('assistant.model.title', MANAGE) },
      ],
    },
  ],
  menu: { assistant: { key: 'k' } },
  live,
  find: [entryFinder],
  commands: [
    {
      id: 'assistant.new_entry',
      title: 'assistant.knowledge.add',
      group: 'create',
      icon: IconAdd,
      when: () => useSession().allowsAny(MANAGE),
      to: '/assistant/knowledge?entry=new',
    },
  ],
};
