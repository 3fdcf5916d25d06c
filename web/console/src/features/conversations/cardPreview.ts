import type { Message } from '@huitouke/api';
import { parseCoordinates } from './coordinates';
import type { CardForm, CardKind } from './cardForms';

/** A card that is not on the server yet, as the message that it will be, so that the thread's components draw it. */
export function previewOf(kind: CardKind, form: CardForm, pictureUrl: string | null, conversationId: string): Message {
  return {
    id: '',
    seq: 0,
    changed_seq: 0,
    conversation_id: conversationId,
    direction: 'out',
    sender_kind: 'agent',
    sender: null,
    sender_name: null,
    msgtype: kind,
    text: null,
    content: contentOf(kind, form),
    file: pictureUrl ? { id: '', name: form.picture?.name ?? '', bytes: form.picture?.size ?? 0, media_type: 'image/jpeg', url: pictureUrl } : null,
    ai: false,
    state: 'queued',
    failure: null,
    client_id: null,
    sent_at: '',
    recalled_at: null,
  };
}

/** In WeCom's own shape, as the server keeps it. */
function contentOf(kind: CardKind, form: CardForm): Record<string, unknown> {
  switch (kind) {
    case 'link':
      return { title: form.title, desc: form.desc, url: form.url };
    case 'miniprogram':
      return { title: form.title, appid: form.appid, pagepath: form.pagepath };
    case 'msgmenu':
      return {
        head_content: form.head,
        list: form.rows.filter((row) => row.content).map((row) => ({ type: row.type, [row.type]: { content: row.content, url: row.url } })),
        tail_content: form.tail,
      };
    case 'location':
      return { name: form.name, address: form.address, ...parseCoordinates(form.coordinates) };
  }
}
