/** How the desk's lists are made of what the sandbox gives. */
import type { ChatKey } from '../chat/log';
import { SESSION, type AppMessage, type Session } from '../sandbox/types';

/** All messages of one app, oldest first. */
export interface Thread {
  agentid: number;
  name: string;
  messages: AppMessage[];
  last: AppMessage;
}

/** App messages come newest first; each app is one thread, the last spoken first. */
export function threads(messages: AppMessage[]): Thread[] {
  const found = new Map<number, Thread>();
  for (const one of messages) {
    const thread = found.get(one.agentid);
    if (thread) thread.messages.unshift(one);
    else found.set(one.agentid, { agentid: one.agentid, name: one.app_name, messages: [one], last: one });
  }
  return [...found.values()];
}

const SEPARATOR = '~';

export function sessionKey(session: ChatKey): string {
  return `${session.open_kfid}${SEPARATOR}${session.external_userid}`;
}

export function readSessionKey(text: string | null): ChatKey | null {
  const [open_kfid, external_userid] = text?.split(SEPARATOR) ?? [];
  return open_kfid && external_userid ? { open_kfid, external_userid } : null;
}

export interface Group {
  state: number;
  sessions: Session[];
}

/** Who waits stands first, then who is being served, then the ended ones; empty groups are left out. */
export function groups(sessions: Session[]): Group[] {
  return [SESSION.POOL, SESSION.EMPLOYEE, SESSION.ENDED]
    .map((state) => ({ state, sessions: sessions.filter((one) => one.state === state) }))
    .filter((group) => group.sessions.length > 0);
}
