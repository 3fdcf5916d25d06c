/** What can be sent: how it looks on its way, and the call that sends it. */
import { uploadMedia } from '../sandbox/api';
import type { Media, MediaKind, Outgoing, Sender, Sent } from '../sandbox/types';
import { sampleVoice } from '../sandbox/voice';
import type { Draft } from './useChatLog';

export type Deliver = (message: Outgoing) => Promise<Sent>;

export function textDraft(sender: Sender, content: string, deliver: Deliver): Draft {
  return { message: { sender, msgtype: 'text', text: content }, deliver: () => deliver({ msgtype: 'text', text: { content } }) };
}

/** Uploads once, also when sending has to be tried again. */
export function mediaDraft(sender: Sender, kind: MediaKind, file: File, deliver: Deliver): Draft {
  let uploaded: Media | null = null;
  const media: Media = { media_id: '', url: URL.createObjectURL(file), filename: file.name, content_type: file.type, bytes: file.size, seconds: 0 };
  return {
    message: { sender, msgtype: kind, text: '', media },
    deliver: async () => {
      uploaded ??= await uploadMedia(file, kind);
      return deliver({ msgtype: kind, [kind]: { media_id: uploaded.media_id } } as Outgoing);
    },
  };
}

const SAMPLE_VOICE_SECONDS = 4;

export function voiceDraft(sender: Sender, deliver: Deliver): Draft {
  const file = new File([sampleVoice(SAMPLE_VOICE_SECONDS)], 'voice.amr', { type: 'audio/amr' });
  const draft = mediaDraft(sender, 'voice', file, deliver);
  if (draft.message.media) draft.message.media.seconds = SAMPLE_VOICE_SECONDS;
  return draft;
}

/** A location, link card or mini-program that was picked from the list of samples. */
export function cardDraft(sender: Sender, message: Card, deliver: Deliver): Draft {
  const send = (): Promise<Sent> => deliver(message);
  switch (message.msgtype) {
    case 'location':
      return { message: { sender, msgtype: 'location', text: message.location.name, location: message.location }, deliver: send };
    case 'link':
      return { message: { sender, msgtype: 'link', text: message.link.title, link: { desc: '', pic_url: '', ...message.link } }, deliver: send };
    case 'miniprogram':
      return {
        message: { sender, msgtype: 'miniprogram', text: message.miniprogram.title, miniprogram: { pagepath: '', thumb_url: '', ...message.miniprogram } },
        deliver: send,
      };
  }
}

export type Card = Extract<Outgoing, { msgtype: 'location' | 'link' | 'miniprogram' }>;

export const SAMPLES: Card[] = [
  { msgtype: 'location', location: { latitude: 31.2304, longitude: 121.4737, name: '人民广场', address: '上海市黄浦区人民大道 120 号' } },
  { msgtype: 'location', location: { latitude: 30.2741, longitude: 120.1551, name: '武林广场', address: '杭州市下城区体育场路' } },
  { msgtype: 'location', location: { latitude: 23.1066, longitude: 113.3245, name: '广州塔', address: '广州市海珠区阅江西路 222 号' } },
  { msgtype: 'link', link: { title: '这件风衣还有货吗', desc: '秋季新款 · 四色可选', url: 'https://shop.example/goods/1001' } },
  { msgtype: 'miniprogram', miniprogram: { title: '秋冬上新 · 全场八折', appid: 'wx0000000000000001', pagepath: 'pages/goods/index?id=1001' } },
];
