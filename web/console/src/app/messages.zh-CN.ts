import { sharedChinese, type Messages } from '@huitouke/i18n';

const parts = import.meta.glob<Messages>(['./locales/zh-CN.json', '../features/*/locales/zh-CN.json'], { eager: true, import: 'default' });

export const messages: Messages = Object.assign({}, sharedChinese, ...Object.values(parts));
