import type { ConversationDetail, MessageCard } from '@huitouke/api';
import { parseCoordinates } from './coordinates';

/** The cards that a person can make here; what else the channel permits comes through the API. */
export const CARD_KINDS = ['link', 'miniprogram', 'msgmenu', 'location'] as const;
export type CardKind = (typeof CARD_KINDS)[number];

export interface MenuRow {
  type: 'click' | 'view';
  content: string;
  url: string;
}

/** What stands in the fields of a dialog. One shape for all kinds, so that a draft is one thing. */
export interface CardForm {
  title: string;
  desc: string;
  url: string;
  appid: string;
  pagepath: string;
  picture: File | null;
  head: string;
  tail: string;
  rows: MenuRow[];
  name: string;
  address: string;
  coordinates: string;
}

export type CardLimits = ConversationDetail['card_limits_bytes'];

/** Why a field can't be sent so: the key of a sentence, and how many characters to cut. */
export interface FieldProblem {
  key: 'missing' | 'too_long' | 'address' | 'appid' | 'coordinates' | 'picture' | 'picture_heic';
  n?: number;
}
export type FormProblems = Record<string, FieldProblem>;

export function emptyRow(): MenuRow {
  return { type: 'click', content: '', url: '' };
}

export function emptyForm(): CardForm {
  return {
    title: '', desc: '', url: '', appid: '', pagepath: '', picture: null,
    head: '', tail: '', rows: [emptyRow(), emptyRow()],
    name: '', address: '', coordinates: '',
  };
}

export function bytesOf(text: string): number {
  return new TextEncoder().encode(text.trim()).length;
}

const CHINESE_CHARACTER_BYTES = 3;
const APPID = /^wx[0-9a-f]{16}$/;

/** Web addresses that a phone opens: with http:// or https:// before them. */
export function isAddress(text: string): boolean {
  return /^https?:\/\/[^\s/]+\S*$/.test(text.trim()) && URL.canParse(text.trim());
}

/** HEIC is what iPhones take; nothing but an Apple device opens it. */
export function isHeic(file: Pick<File, 'name' | 'type'>): boolean {
  return /^image\/hei[cf]/.test(file.type) || /\.hei[cf]$/i.test(file.name);
}

/** The problems of a form by field, before the server is asked; the same limits, which the server hands out. */
export function problemsOf(kind: CardKind, form: CardForm, limits: CardLimits): FormProblems {
  const limit = limits[kind] ?? {};
  const found: FormProblems = {};
  const check = (field: string, value: string, needed: boolean, bytes = limit[field]): boolean => {
    if (needed && !value.trim()) found[field] = { key: 'missing' };
    else if (bytes !== undefined && bytesOf(value) > bytes) found[field] = { key: 'too_long', n: Math.ceil((bytesOf(value) - bytes) / CHINESE_CHARACTER_BYTES) };
    return !(field in found);
  };
  if (kind === 'link') {
    check('title', form.title, true);
    check('desc', form.desc, false);
    if (check('url', form.url, true) && !isAddress(form.url)) found.url = { key: 'address' };
  }
  if (kind === 'miniprogram') {
    if (check('appid', form.appid, true) && !APPID.test(form.appid.trim())) found.appid = { key: 'appid' };
    check('title', form.title, false);
    check('pagepath', form.pagepath, true);
  }
  if (kind === 'link' || kind === 'miniprogram') {
    if (!form.picture) found.picture = { key: 'missing' };
    else if (isHeic(form.picture)) found.picture = { key: 'picture_heic' };
    else if (!form.picture.type.startsWith('image/')) found.picture = { key: 'picture' };
  }
  if (kind === 'msgmenu') {
    check('head', form.head, false, limit.head_content);
    check('tail', form.tail, false, limit.tail_content);
    form.rows.forEach((row, at) => {
      check(`content.${at}`, row.content, true, limit[row.type]);
      if (row.type === 'view' && check(`url.${at}`, row.url, true, limit.url) && !isAddress(row.url)) found[`url.${at}`] = { key: 'address' };
    });
  }
  if (kind === 'location') {
    check('name', form.name, true);
    check('address', form.address, false);
    if (check('coordinates', form.coordinates, true) && !parseCoordinates(form.coordinates)) found.coordinates = { key: 'coordinates' };
  }
  return found;
}

/** The form as the API takes it; `pictureId` once the picture is uploaded. Only for forms without problems. */
export function cardIn(kind: CardKind, form: CardForm, pictureId: string): MessageCard {
  switch (kind) {
    case 'link':
      return { msgtype: kind, title: form.title.trim(), desc: form.desc.trim(), url: form.url.trim(), picture_id: pictureId };
    case 'miniprogram':
      return { msgtype: kind, appid: form.appid.trim(), title: form.title.trim(), pagepath: form.pagepath.trim(), picture_id: pictureId };
    case 'msgmenu':
      return { msgtype: kind, head_content: form.head.trim(), tail_content: form.tail.trim(), entries: form.rows.map(entryOf) };
    case 'location': {
      const place = parseCoordinates(form.coordinates) ?? { latitude: 0, longitude: 0 };
      return { msgtype: kind, name: form.name.trim(), address: form.address.trim(), ...place };
    }
  }
}

function entryOf(row: MenuRow): Extract<MessageCard, { msgtype: 'msgmenu' }>['entries'][number] {
  const content = row.content.trim();
  return row.type === 'view' ? { type: 'view', content, url: row.url.trim() } : { type: 'click', content };
}
