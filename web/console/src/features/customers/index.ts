/** What other features may use of customers. */
export { default as CustomerCardView } from './components/CustomerCardView.vue';

/** The page about privacy, which stands among the settings. */
export const loadPrivacyPage = () => import('./pages/PrivacyPage.vue');
