import type { ConversationDetail, ConversationRow, Message } from '@huitouke/api';

/** The smallest valid things; a test writes down only what it is about. */
export function aMessage(change: Partial<Message> = {}): Message {
  const seq = change.seq ?? 1;
  return {
    id: `m${seq}`,
    seq,
    changed_seq: seq,
    conversation_id: 'c1',
    direction: 'in',
    sender_kind: 'customer',
    sender: null,
    sender_name: null,
    msgtype: 'text',
    text: `text ${seq}`,
    content: {},
    file: null,
    ai: false,
    state: 'received',
    failure: null,
    client_id: null,
    sent_at: '2026-11-21T06:00:00Z',
    recalled_at: null,
    ...change,
  };
}

export function aRow(change: Partial<ConversationRow> = {}): ConversationRow {
  const id = change.id ?? 'c1';
  return {
    id,
    customer: { id: `customer-${id}`, name: 'Lin', avatar_url: null },
    channel_account: { id: 'a1', name: 'Shop', kind: 'wecom_kf' },
    state: 'open',
    handler: 'assistant',
    staff: null,
    servicer_userid: null,
    servicer_name: null,
    last_preview: 'hello',
    last_msgtype: 'text',
    last_sender: 'customer',
    last_message_at: '2026-11-21T06:00:00Z',
    unread: 0,
    waiting_since: null,
    window_left: 5,
    window_expires_at: '2026-11-23T06:00:00Z',
    seq: 1,
    assistant_paused_until: null,
    ...change,
  };
}

export function aDetail(change: Partial<ConversationDetail> = {}): ConversationDetail {
  const row = aRow(change as Partial<ConversationRow>);
  return {
    ...row,
    customer: { ...row.customer, gender: 'unknown', remark: null, identities: [], created_at: '2026-11-01T00:00:00Z', last_seen_at: null, version: 1 },
    session_state: 1,
    handover_to: null,
    handover_reason: null,
    handover_summary: [],
    handover_problem: null,
    closed_at: null,
    text_limit_bytes: 2048,
    card_limits_bytes: {
      link: { title: 128, desc: 512, url: 2048 },
      miniprogram: { appid: 32, title: 64, pagepath: 1024 },
      msgmenu: { head_content: 1024, tail_content: 1024, click: 128, view: 1024, url: 2048 },
      location: { name: 512, address: 512 },
    },
    menu_buttons: 10,
    can: { reply: { allowed: false, reason: 'take_first', sentence: 'take it first' }, take: true, hand_back: false, hand_over: true, hand_over_wecom: true, close: true },
    ...change,
  } as ConversationDetail;
}
