import { qrSvg } from '@/app/qr';

export interface Card {
  name: string;
  /** Of the band at the top, as #rrggbb. */
  color: string;
  url: string;
  lead: string;
  text: string;
}

/** A6 in tenths of a millimetre: what is drawn is as large as it is printed. */
const WIDTH = 1050;
const HEIGHT = 1480;
const CODE = 640;
const FONT = "'PingFang SC','Microsoft YaHei','Noto Sans SC','Noto Sans CJK SC',sans-serif";
/** Wider characters take a whole em, the others about half of one. */
const WIDE = /[\u1100-\u11ff\u2e80-\u9fff\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe4f\uff00-\uffef]/;

/** A card for the table, A6, as SVG: the shop's name, a code that opens the page, and the address in letters. */
export function tableCard(card: Card): string {
  const code = qrSvg(card.url).replace('<svg ', `<svg x="${(WIDTH - CODE) / 2}" y="430" width="${CODE}" height="${CODE}" `);
  const line = (y: number, size: number, text: string, fill: string, weight = 400): string =>
    `<text x="${WIDTH / 2}" y="${y}" font-size="${fitting(text, size)}" font-weight="${weight}" fill="${fill}" text-anchor="middle">${escaped(text)}</text>`;
  return (
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${HEIGHT}" width="105mm" height="148mm" font-family="${FONT}">` +
    `<rect width="${WIDTH}" height="${HEIGHT}" fill="white"/>` +
    `<rect width="${WIDTH}" height="60" fill="${/^#[0-9a-f]{6}$/i.test(card.color) ? card.color : 'black'}"/>` +
    line(210, 92, card.name, 'black', 600) +
    line(340, 64, card.lead, 'black') +
    code +
    line(1200, 52, card.text, 'black') +
    line(1340, 42, card.url.replace(/^https?:\/\//, ''), 'black') +
    `</svg>`
  );
}

/** The size at which the text fits between the margins. */
export function fitting(text: string, size: number): number {
  const ems = [...text].reduce((sum, one) => sum + (WIDE.test(one) ? 1 : 0.6), 0);
  return Math.min(size, Math.floor((WIDTH - 120) / Math.max(ems, 1)));
}

/** The text as XML. Characters that XML can't hold are left out. */
export function escaped(text: string): string {
  const entities: Record<string, string> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;', "'": '&apos;' };
  return text.replace(/[&<>"']/g, (one) => entities[one] ?? '').replace(/[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\u{10000}-\u{10ffff}]/gu, '');
}
