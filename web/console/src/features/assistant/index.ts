/** What other features may use of the assistant. */
export { default as AnswerTrace } from './components/AnswerTrace.vue';
export { default as AssistantPause } from './components/AssistantPause.vue';
export { default as PauseNotice } from './components/PauseNotice.vue';
export { useGlobalPause } from './usePause';
