import type { Message } from '../sandbox/types';

/** A text of the customer; say what differs. */
export function message(patch: Partial<Message> = {}): Message {
  const seq = patch.seq ?? 1;
  return {
    seq,
    msgid: `m${seq}`,
    open_kfid: 'wk1',
    external_userid: 'wm1',
    sender: 'customer',
    sender_name: '林小姐',
    sender_avatar_url: '',
    msgtype: 'text',
    text: '有大一点的吗',
    sent_at: 1_700_000_000 + seq,
    state: 'delivered',
    recalled: false,
    ...patch,
  };
}
