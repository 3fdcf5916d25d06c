import '@huitouke/ui/tokens.css';
import '@huitouke/ui/base.css';
import { configureApi } from '@huitouke/api';
import { VueQueryPlugin } from '@tanstack/vue-query';
import { createPinia } from 'pinia';
import { createApp } from 'vue';
import { features } from '../features';
import App from './App.vue';
import { listenForKeys, navigateWith, register } from './commands/registry';
import { startI18n, translate } from './i18n';
import { liveKey, makeLive } from './live';
import { usePreferences } from './preferences/store';
import { makeQueryClient } from './query';
import { makeRouter } from './router';

async function start(): Promise<void> {
  const cache = makeQueryClient();
  const live = makeLive(features, cache);
  const app = createApp(App).use(createPinia());
  app.use(await startI18n());
  usePreferences();

  const router = makeRouter(features);
  configureApi({
    onSignedOut: () => window.location.assign(`/sign-in?next=${encodeURIComponent(router.currentRoute.value.fullPath)}`),
  });
  router.afterEach((to) => {
    document.title = to.meta.title ? `${translate(to.meta.title)} · ${translate('app.name')}` : translate('app.name');
  });
  for (const feature of features) feature.commands?.forEach(register);
  navigateWith((to) => void router.push(to));
  listenForKeys();

  app.use(router).use(VueQueryPlugin, { queryClient: cache }).provide(liveKey, live).mount('#app');
}

void start();
