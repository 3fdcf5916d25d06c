import { describe, expect, it } from 'vitest';
import { cardOf } from './cards';
import { aDetail, aRow } from './fixtures';
import { keepOrder } from './frozenOrder';
import { foreseen } from './handling';
import { safeUrl, splitLinks } from './links';
import { mergedItems } from './merged';
import { rowChips } from './rowWords';

const NOW = Date.parse('2026-11-21T06:00:00Z');

describe('a list that is being read', () => {
  const rows = (...ids: string[]) => ids.map((id) => ({ id }));

  it('keeps its order while new rows wait above', () => {
    const { shown, waiting } = keepOrder(rows('new', 'b', 'a'), ['a', 'b']);
    expect(shown.map((row) => row.id)).toEqual(['a', 'b']);
    expect(waiting).toBe(1);
  });

  it('loses rows that are gone and gets those that "more" brought at the end', () => {
    const { shown, waiting } = keepOrder(rows('b', 'c', 'd'), ['a', 'b', 'c']);
    expect(shown.map((row) => row.id)).toEqual(['b', 'c', 'd']);
    expect(waiting).toBe(0);
  });
});

describe('the third line of a row', () => {
  const withAgent = { handler: 'agent' as const, staff: { id: 'me', name: 'Me' } };

  it('is absent when the assistant has the conversation', () => expect(rowChips(aRow(), 'all', 'me', NOW)).toEqual([]));

  it('says that somebody waits, and that little is left', () => {
    expect(rowChips(aRow({ handler: 'agent', window_left: 1 }), 'all', 'me', NOW)).toEqual(['waiting', 'few']);
  });

  it('says whose it is only where that is not plain', () => {
    expect(rowChips(aRow(withAgent), 'all', 'me', NOW)).toEqual(['mine']);
    expect(rowChips(aRow(withAgent), 'mine', 'me', NOW)).toEqual([]);
    expect(rowChips(aRow(withAgent), 'all', 'other', NOW)).toEqual(['colleague']);
  });

  it('says that the 48 hours end soon, or are over', () => {
    expect(rowChips(aRow({ ...withAgent, window_expires_at: '2026-11-21T09:00:00Z' }), 'mine', 'me', NOW)).toEqual(['soon']);
    expect(rowChips(aRow({ ...withAgent, window_expires_at: '2026-11-21T05:59:00Z' }), 'mine', 'me', NOW)).toEqual(['over']);
  });
});

describe('links in a text', () => {
  it('end before Chinese punctuation and a full stop', () => {
    expect(splitLinks('看 https://a.cn/x?y=1，谢谢 http://b.cn.')).toEqual([
      { text: '看 ', link: false },
      { text: 'https://a.cn/x?y=1', link: true },
      { text: '，谢谢 ', link: false },
      { text: 'http://b.cn', link: true },
      { text: '.', link: false },
    ]);
  });

  it('are never of a kind that runs something', () => {
    expect(splitLinks('javascript:alert(1)')).toEqual([{ text: 'javascript:alert(1)', link: false }]);
    expect([safeUrl('javascript:alert(1)'), safeUrl('data:text/html,x'), safeUrl('nonsense'), safeUrl(3)]).toEqual([null, null, null, null]);
  });
});

it('a location is a card that opens a map, a link with a bad address is a card without one', () => {
  expect(cardOf({ latitude: 30.25, longitude: 120.17, name: '店', address: '中山中路' }).url).toContain(encodeURIComponent('coord:30.25,120.17'));
  expect(cardOf({ title: 'x', url: 'javascript:alert(1)' })).toEqual({ title: 'x', lines: [], url: null, picture: null });
});

it('forwarded lines are read one by one; an unreadable one keeps its kind', () => {
  const content = {
    item: [
      { sender_name: '林', msgtype: 'text', msg_content: '{"text":{"content":"hi"}}' },
      { sender_name: '马', msgtype: 'image', msg_content: 'not json' },
    ],
  };
  expect(mergedItems(content)).toEqual([
    { sender: '林', msgtype: 'text', text: 'hi' },
    { sender: '马', msgtype: 'image', text: '' },
  ]);
});

it('taking a conversation shows it as mine before the server has answered', () => {
  const now = foreseen(aDetail({ handler: 'agent', waiting_since: '2026-11-21T05:00:00Z' }), { kind: 'take' }, { id: 'me', name: 'Me' });
  expect([now.handler, now.staff?.id, now.waiting_since]).toEqual(['agent', 'me', null]);
});
