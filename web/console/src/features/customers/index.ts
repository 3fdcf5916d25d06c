/** What other features may use of customers. */
export { default as CustomerCardView } from './components/CustomerCardView.vue';
