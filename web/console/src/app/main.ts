import '@huitouke/ui/tokens.css';
import '@huitouke/ui/base.css';
import { configureApi } from '@huitouke/api';
import { VueQueryPlugin } from '@tanstack/vue-query';
import { createPinia } from 'pinia';
import { createApp, watchEffect } from 'vue';
import { features } from '../features';
import App from './App.vue';
import { listenForKeys, navigateWith, register } from './commands/registry';
import { startI18n, translate } from './i18n';
import { liveKey, makeLive } from './live';
import { usePreferences } from './preferences/store';
import { makeQueryClient } from './query';
import { isOperators, makeRouter } from './router';
import { restoreSession } from './session/session';
import { useSession } from './session/store';
import { extensionAt } from './shell/menu';

const RELOADED = 'huitouke.reloaded';
const RELOAD_PAUSE_MS = 60_000;

/** A part of an older build is gone from the server: loading the page afresh brings the new build, once. */
function reloadWhenOutdated(): void {
  window.addEventListener('vite:preloadError', (event) => {
    const last = Number(sessionStorage.getItem(RELOADED) ?? 0);
    if (Date.now() - last < RELOAD_PAUSE_MS) return;
    event.preventDefault();
    sessionStorage.setItem(RELOADED, String(Date.now()));
    window.location.reload();
  });
}

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
  watchEffect(() => {
    const { meta, name, path } = router.currentRoute.value;
    const rest = name === 'rest' ? (extensionAt(useSession().me, path)?.label ?? translate('app.not_found.title')) : '';
    const title = meta.title ? translate(meta.title) : rest;
    document.title = title ? `${title} · ${translate('app.name')}` : translate('app.name');
  });
  for (const feature of features) feature.commands?.forEach(register);
  navigateWith((to) => void router.push(to));
  listenForKeys();

  // Where a person is led depends on what they may do. Who can't be asked now is asked by the router.
  if (!isOperators(window.location.pathname)) await restoreSession().catch(() => false);
  app.use(router).use(VueQueryPlugin, { queryClient: cache }).provide(liveKey, live).mount('#app');
}

reloadWhenOutdated();
void start();
