/** The page's few words. Chinese wherever the browser speaks it, English for everybody else. */
const zh = {
  title: '在线客服',
  ai: 'AI',
  aiHint: '这句话由 AI 回答',
  assistantHere: 'AI 客服为您服务',
  personHere: '人工客服为您服务',
  peopleHere: '客服会在这里回复您',
  waiting: '已通知人工客服，有人接待后会在这里回复您',
  handed_over: '已为您转接人工客服，请稍等',
  taken: '人工客服已接入',
  closed: '本次会话已结束，继续发消息可以再次咨询',
  answering: '正在回复…',
  offline: '网络断开了，恢复后会自动接上',
  reconnecting: '正在重新连接…',
  placeholder: '输入您的问题',
  send: '发送',
  sending: '发送中',
  queued: '等网络恢复后发送',
  failed: '没有发出去',
  retry: '重发',
  again: '再试一次',
  earlier: '查看更早的消息',
  loading: '正在打开…',
  recalled: '这条消息已撤回',
  foot: '回答由 AI 生成，仅供参考；需要人工请说「人工」',
  questions: '常见问题',
  log: '聊天记录',
  left: '还能写 {n} 个字',
  away: '连不上，请检查网络后再试。',
  cookies: '请允许这个页面使用 Cookie，否则我们认不出您是同一位顾客。',
  latest: '回到最新消息',
};

export type Word = keyof typeof zh;

const en: Record<Word, string> = {
  title: 'Chat',
  ai: 'AI',
  aiHint: 'Answered by an AI',
  assistantHere: 'An AI is here to help',
  personHere: 'A colleague is here to help',
  peopleHere: 'We will answer you here',
  waiting: 'We have called a colleague, who will answer you here',
  handed_over: 'We are handing you over to a colleague. One moment, please',
  taken: 'A colleague has joined',
  closed: 'This chat has ended. Write again whenever you like',
  answering: 'Answering…',
  offline: 'You are offline. We go on as soon as you are back',
  reconnecting: 'Connecting again…',
  placeholder: 'Your question',
  send: 'Send',
  sending: 'Sending',
  queued: 'Will be sent once you are online',
  failed: 'Not sent',
  retry: 'Send again',
  again: 'Try again',
  earlier: 'Earlier messages',
  loading: 'Opening…',
  recalled: 'This message was taken back',
  foot: 'Answers are written by an AI and may be wrong. Say “human” to reach a person',
  questions: 'Frequent questions',
  log: 'Chat',
  left: '{n} characters left',
  away: 'No connection. Please check your network and try again.',
  cookies: 'Please allow cookies for this page; without them we cannot tell that it is you.',
  latest: 'To the newest message',
};

export const language: 'zh-CN' | 'en' = /^zh\b/i.test(navigator.language) ? 'zh-CN' : 'en';

const words = language === 'en' ? en : zh;

export function say(word: Word): string {
  return words[word];
}
