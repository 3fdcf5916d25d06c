export * from './format';
export * from './setup';
export { default as sharedChinese } from './locales/zh-CN.json';
export { default as sharedEnglish } from './locales/en.json';
