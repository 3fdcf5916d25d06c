import './style.css';
import { Api } from './api';
import { Chat } from './chat';
import { Store } from './kept';
import { View } from './view';
import { language, say } from './words';

const code = location.pathname.replace(/^\/c\//, '').replace(/\/$/, '');
document.documentElement.lang = language;
document.title = say('title');

const store = new Store(`huitouke:${code}`);
let asked = false;
const chat: Chat = new Chat(new Api(code), store, () => {
  // Many changes at once are drawn once.
  if (asked) return;
  asked = true;
  Promise.resolve().then(() => {
    asked = false;
    view.draw();
  });
});
const view = new View(chat, store.read().draft);

window.addEventListener('online', () => chat.hurry(true));
window.addEventListener('offline', () => chat.offline());
document.addEventListener('visibilitychange', () => {
  if (!document.hidden) chat.hurry();
});
void chat.begin();
