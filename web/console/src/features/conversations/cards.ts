import { safeUrl } from './links';

/** What a card shows of a location, link, mini program, product, order, business card or anything newer. */
export interface Card {
  title: string;
  lines: string[];
  url: string | null;
  picture: string | null;
}

export function cardOf(content: Record<string, unknown>): Card {
  const text = (name: string): string => {
    const value = content[name];
    return typeof value === 'string' || typeof value === 'number' ? String(value) : '';
  };
  const title = ['title', 'name', 'product_titles', 'nickname', 'userid', 'address'].map(text).find(Boolean) ?? '';
  const lines = ['desc', 'address', 'sales_price', 'price_wording', 'state', 'shop_nickname', 'order_id', 'nickname']
    .map(text)
    .filter((line) => line && line !== title);
  const { latitude, longitude } = content;
  const map =
    typeof latitude === 'number' && typeof longitude === 'number'
      ? `https://apis.map.qq.com/uri/v1/marker?marker=${encodeURIComponent(`coord:${latitude},${longitude};title:${title};addr:${text('address')}`)}&referer=huitouke`
      : null;
  return { title, lines, url: map ?? safeUrl(content.url), picture: safeUrl(content.pic_url ?? content.head_image ?? content.image_url) };
}
