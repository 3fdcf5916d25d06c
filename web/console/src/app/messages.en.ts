import { sharedEnglish, type Messages } from '@huitouke/i18n';

const parts = import.meta.glob<Messages>(['./locales/en.json', '../features/*/locales/en.json'], { eager: true, import: 'default' });

export const messages: Messages = Object.assign({}, sharedEnglish, ...Object.values(parts));
