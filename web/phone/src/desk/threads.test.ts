import { describe, expect, it } from 'vitest';
import type { AppMessage, Session } from '../sandbox/types';
import { groups, readSessionKey, sessionKey, threads } from './threads';

const appMessage = (id: number, agentid: number): AppMessage => ({
  id, agentid, msgid: `a${id}`, corp_id: 'ww1', app_name: `应用 ${agentid}`, userid: 'zhang', msgtype: 'text', text: String(id), sent_at: id, recalled: false,
});

describe('messages of apps', () => {
  it('are one thread per app, the last spoken first, each oldest first', () => {
    const found = threads([appMessage(4, 2), appMessage(3, 1), appMessage(2, 2), appMessage(1, 1)]);
    expect(found.map((one) => [one.agentid, one.messages.map((message) => message.id), one.last.id])).toEqual([
      [2, [2, 4], 4],
      [1, [1, 3], 3],
    ]);
  });
});

describe('sessions', () => {
  it('are grouped by state: waiting, mine, ended', () => {
    const sessions = [4, 3, 2, 3].map((state, index) => ({ state, external_userid: `wm${index}` }) as Session);
    expect(groups(sessions).map((group) => [group.state, group.sessions.map((one) => one.external_userid)])).toEqual([
      [2, ['wm2']],
      [3, ['wm1', 'wm3']],
      [4, ['wm0']],
    ]);
  });

  it('have an address that reads back', () => {
    const session = { open_kfid: 'wkA_1', external_userid: 'wm-9' };
    expect(readSessionKey(sessionKey(session))).toEqual(session);
    expect(readSessionKey('nonsense')).toBeNull();
    expect(readSessionKey(null)).toBeNull();
  });
});
