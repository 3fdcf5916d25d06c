import { describe, expect, it } from 'vitest';
import { cardIn, emptyForm, isHeic, problemsOf, type CardForm, type CardKind } from './cardForms';
import { parseCoordinates } from './coordinates';
import { aDetail } from './fixtures';
import { menuLines } from './menu';

const limits = aDetail().card_limits_bytes;
const picture = new File(['x'], '封面.jpg', { type: 'image/jpeg' });
const form = (change: Partial<CardForm>): CardForm => ({ ...emptyForm(), ...change });
const wrong = (kind: CardKind, change: Partial<CardForm>) => Object.fromEntries(Object.entries(problemsOf(kind, form(change), limits)).map(([field, { key }]) => [field, key]));

describe('a card is held against the limits before it is sent', () => {
  const link = { title: '新款', url: 'https://shop.example/1', picture };
  const program = { appid: 'wx0123456789abcdef', pagepath: 'pages/index', picture };
  const menu = { head: '选一个', rows: [{ type: 'click' as const, content: '尺码', url: '' }] };

  it('in bytes, and says how many characters to cut', () => {
    expect(problemsOf('link', form({ ...link, title: '题'.repeat(42) }), limits)).toEqual({});
    expect(problemsOf('link', form({ ...link, title: '题'.repeat(45) }), limits)).toEqual({ title: { key: 'too_long', n: 3 } });
  });

  it.each([
    ['link', {}, { title: 'missing', url: 'missing', picture: 'missing' }],
    ['link', { ...link, url: 'shop.example' }, { url: 'address' }],
    ['link', { ...link, url: 'javascript:alert(1)' }, { url: 'address' }],
    ['link', { ...link, picture: new File(['x'], 'IMG_1.HEIC') }, { picture: 'picture_heic' }],
    ['link', { ...link, picture: new File(['x'], 'a.pdf', { type: 'application/pdf' }) }, { picture: 'picture' }],
    ['miniprogram', program, {}],
    ['miniprogram', { ...program, appid: 'gh_123' }, { appid: 'appid' }],
    ['msgmenu', menu, {}],
    ['msgmenu', { rows: [{ type: 'view' as const, content: '', url: 'x' }] }, { 'content.0': 'missing', 'url.0': 'address' }],
    ['msgmenu', { ...menu, rows: [{ type: 'click' as const, content: '字'.repeat(43), url: '' }] }, { 'content.0': 'too_long' }],
    ['location', { name: '店', coordinates: '30.2,120.1' }, {}],
    ['location', { name: '', coordinates: 'here' }, { name: 'missing', coordinates: 'coordinates' }],
  ] as [CardKind, Partial<CardForm>, Record<string, string>][])('%s %#', (kind, change, expected) => expect(wrong(kind, change)).toEqual(expected));

  it('and is what the API takes', () => {
    expect(cardIn('msgmenu', form({ ...menu, rows: [...menu.rows, { type: 'view', content: ' 看 ', url: 'https://a.cn ' }] }), '')).toEqual({
      msgtype: 'msgmenu',
      head_content: '选一个',
      tail_content: '',
      entries: [
        { type: 'click', content: '尺码' },
        { type: 'view', content: '看', url: 'https://a.cn' },
      ],
    });
  });
});

describe('coordinates', () => {
  it.each([
    ['30.25842,120.16571', { latitude: 30.25842, longitude: 120.16571 }],
    ['30.25842，120.16571', { latitude: 30.25842, longitude: 120.16571 }],
    ['120.16571,30.25842', { latitude: 30.25842, longitude: 120.16571 }],
    ['87.61,43.79', { latitude: 43.79, longitude: 87.61 }],
    ['-33.86, 151.2', { latitude: -33.86, longitude: 151.2 }],
    ['https://uri.amap.com/marker?position=121.4737,31.2304&name=x', { latitude: 31.2304, longitude: 121.4737 }],
    ['91,200', null],
    ['somewhere', null],
  ])('%s', (text, expected) => expect(parseCoordinates(text)).toEqual(expected));
});

it('an iPhone picture is known by its kind or its name', () => {
  expect([isHeic({ name: 'a.heic', type: '' }), isHeic({ name: 'a', type: 'image/heif' }), isHeic({ name: 'a.jpg', type: 'image/jpeg' })]).toEqual([true, true, false]);
});

it('entries of a menu stand in lines; only web addresses become links', () => {
  const list = [
    { type: 'text', text: { content: '选', no_newline: 1 } },
    { type: 'click', click: { id: '1', content: '尺码' } },
    { type: 'view', view: { content: '看', url: 'javascript:alert(1)' } },
    { type: 'jump', jump: {} },
  ];
  expect(menuLines({ list })).toEqual([
    [{ content: '选', plain: true, url: null }, { content: '尺码', plain: false, url: null }],
    [{ content: '看', plain: false, url: null }],
  ]);
  expect(menuLines({})).toEqual([]);
});
