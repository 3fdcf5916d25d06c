import '@huitouke/ui/tokens.css';
import '@huitouke/ui/base.css';
import './tokens.css';
import './controls.css';
import { createApp } from 'vue';
import { RouterView } from 'vue-router';
import { i18n, startLocale } from './app/i18n';
import { startTheme } from './app/theme';
import { makeRouter } from './router';

startTheme();
startLocale();
createApp(RouterView).use(i18n).use(makeRouter()).mount('#app');
