/** What crosses the sandbox's control API, as its document under /sandbox/docs says. Times are unix seconds. */

export interface Employee {
  corp_id: string;
  userid: string;
  name: string;
  avatar: string;
}

export interface Servicer {
  userid: string;
  /** 0 receives customers, 1 has stopped */
  status: number;
}

export interface Account {
  corp_id: string;
  open_kfid: string;
  name: string;
  avatar_url: string;
  servicers: Servicer[];
}

export interface Corp {
  corp_id: string;
  name: string;
  kf_accounts: Account[];
  employees: Employee[];
}

export interface Customer {
  external_userid: string;
  nickname: string;
  avatar: string;
  rejects: boolean;
}

export interface SandboxState {
  now: number;
  corps: Corp[];
  customers: Customer[];
  customer_count: number;
}

export type Sender = 'customer' | 'account' | 'servicer';

export interface Media {
  media_id: string;
  url: string;
  filename: string;
  content_type: string;
  bytes: number;
  seconds: number;
}

export interface LinkCard {
  title: string;
  desc: string;
  url: string;
  pic_url: string;
}

export interface MiniProgramCard {
  title: string;
  appid: string;
  pagepath: string;
  thumb_url: string;
}

export interface MenuItem {
  type: 'click' | 'view' | 'miniprogram' | 'text';
  id: string;
  content: string;
  url: string;
  appid: string;
  pagepath: string;
  no_newline: boolean;
}

export interface Menu {
  head_content: string;
  items: MenuItem[];
  tail_content: string;
}

export interface Place {
  latitude: number;
  longitude: number;
  name: string;
  address: string;
}

/** A message in a chat; the view of its msgtype is filled, `text` is what a contact list would show. */
export interface Message {
  seq: number;
  msgid: string;
  open_kfid: string;
  external_userid: string;
  sender: Sender;
  sender_name: string;
  sender_avatar_url: string;
  msgtype: string;
  text: string;
  media?: Media | null;
  link?: LinkCard | null;
  miniprogram?: MiniProgramCard | null;
  menu?: Menu | null;
  location?: Place | null;
  sent_at: number;
  state: 'accepted' | 'delivered' | 'failed';
  fail_type?: number | null;
  recalled: boolean;
}

/** Oldest first. */
export interface MessagePage {
  items: Message[];
  has_more: boolean;
}

export interface Sent {
  msgid: string;
  seq: number;
  sent_at: number;
}

/** What a person may send; the payload stands under the name of its msgtype. */
export type Outgoing =
  | { msgtype: 'text'; text: { content: string } }
  | { msgtype: 'image'; image: { media_id: string } }
  | { msgtype: 'voice'; voice: { media_id: string } }
  | { msgtype: 'video'; video: { media_id: string } }
  | { msgtype: 'file'; file: { media_id: string } }
  | { msgtype: 'location'; location: Place }
  | { msgtype: 'link'; link: { title: string; desc?: string; url: string; pic_url?: string } }
  | { msgtype: 'miniprogram'; miniprogram: { title: string; appid: string; pagepath?: string } };

export type MediaKind = 'image' | 'voice' | 'video' | 'file';

export interface Entered {
  open_kfid: string;
  account_name: string;
  scene: string;
  scene_param: string;
  welcome_expected: boolean;
}

/** A session's state in WeCom: 0 new, 1 with the app, 2 waiting in the pool, 3 with an employee, 4 ended or not begun. */
export const SESSION = { NEW: 0, APP: 1, POOL: 2, EMPLOYEE: 3, ENDED: 4 } as const;

export interface Chat {
  corp_name: string;
  open_kfid: string;
  name: string;
  avatar_url: string;
  last_text: string;
  last_sender: Sender | null;
  last_at: number | null;
  last_seq: number;
  unread: number;
  session_state: number;
}

export interface Session {
  corp_id: string;
  open_kfid: string;
  account_name: string;
  external_userid: string;
  customer_name: string;
  customer_avatar: string;
  state: number;
  servicer_userid: string;
  last_text: string;
  last_sender: Sender | null;
  last_at: number | null;
  last_seq: number;
  unread: number;
}

export interface CardButton {
  key: string;
  text: string;
  style: number;
  url: string;
}

export interface TemplateCard {
  card_type: string;
  task_id: string;
  source: string;
  title: string;
  desc: string;
  sub_title_text: string;
  lines: { keyname: string; value: string; url: string }[];
  buttons: CardButton[];
  url: string;
  replaced_name: string;
  clicked_key: string;
}

export interface AppMessage {
  id: number;
  msgid: string;
  corp_id: string;
  agentid: number;
  app_name: string;
  userid: string;
  msgtype: string;
  text: string;
  textcard?: { title: string; description: string; url: string; btntxt: string } | null;
  card?: TemplateCard | null;
  media?: Media | null;
  sent_at: number;
  recalled: boolean;
}

/** One event of the stream: what changed, with the ids to fetch it by. */
export interface Notice {
  kind: 'message' | 'session' | 'app_message' | 'card' | 'callback' | 'reset';
  corp_id?: string;
  open_kfid?: string;
  external_userid?: string;
  userid?: string;
  msgid?: string;
  seq?: number;
  id?: number;
}

export interface Clock {
  now: number;
  offset_seconds: number;
}

/** All switches by name; the sandbox's document describes each. */
export type Faults = Record<string, number | boolean | string | string[] | null>;
