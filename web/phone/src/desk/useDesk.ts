import { computed, inject, provide, watch, type ComputedRef, type InjectionKey, type Ref } from 'vue';
import { useRoute, useRouter, type LocationQueryRaw } from 'vue-router';
import { fetchClock } from '../app/useClock';
import { recall, remember } from '../app/storage';
import { useResource, type Resource } from '../app/useResource';
import * as api from '../sandbox/api';
import { useStream } from '../sandbox/stream';
import { SESSION, type AppMessage, type Corp, type Employee, type Notice, type Session } from '../sandbox/types';
import { readSessionKey, sessionKey, type Thread, threads } from './threads';
import type { ChatKey } from '../chat/log';

export type DeskTab = 'sessions' | 'apps';
type Listener = (notices: Notice[]) => void;

export interface Desk {
  employees: Resource<Employee[]>;
  employee: ComputedRef<Employee | null>;
  corp: Resource<Corp | null>;
  sessions: Resource<Session[]>;
  appMessages: Resource<AppMessage[]>;
  threads: ComputedRef<Thread[]>;
  connected: Ref<boolean>;
  tab: ComputedRef<DeskTab>;
  open: ComputedRef<ChatKey | null>;
  session: ComputedRef<Session | null>;
  thread: ComputedRef<Thread | null>;
  start: () => Promise<void>;
  become: (employee: Employee) => Promise<void>;
  /** Address of a place on this desk. */
  at: (place: { tab: DeskTab; session?: Session; app?: number }) => { query: LocationQueryRaw };
  listen: (listener: Listener) => () => void;
}

const key: InjectionKey<Desk> = Symbol('desk');
const STORED = 'employee';
const LISTED = [SESSION.POOL, SESSION.EMPLOYEE, SESSION.ENDED];

export function useDesk(): Desk {
  const desk = inject(key);
  if (!desk) throw new Error('A part of the desk stands outside the desk.');
  return desk;
}

/** The desk's state for all its parts: who sits there, what they have, what is open. */
export function provideDesk(): Desk {
  const route = useRoute();
  const router = useRouter();
  const text = (name: string): string | null => (typeof route.query[name] === 'string' ? route.query[name] : null);
  const listeners = new Set<Listener>();

  const employees = useResource(api.listEmployees);
  const employee = computed(() => {
    const userid = String(route.params.userid ?? '').toLowerCase();
    const corp = text('corp');
    return employees.data.value?.find((one) => one.userid.toLowerCase() === userid && (!corp || one.corp_id === corp)) ?? null;
  });
  const mine = <T>(load: (one: Employee) => Promise<T>, none: T) => useResource(() => (employee.value ? load(employee.value) : Promise.resolve(none)));
  const corp = mine<Corp | null>((one) => api.getCorp(one.corp_id), null);
  const sessions = mine((one) => api.listSessions(one, LISTED), []);
  const appMessages = mine(api.listAppMessages, []);
  const grouped = computed(() => threads(appMessages.data.value ?? []));

  const tab = computed<DeskTab>(() => (text('tab') === 'apps' ? 'apps' : 'sessions'));
  const open = computed(() => readSessionKey(text('session')));
  const session = computed(() => {
    const wanted = open.value;
    return sessions.data.value?.find((one) => one.open_kfid === wanted?.open_kfid && one.external_userid === wanted.external_userid) ?? null;
  });
  const thread = computed(() => grouped.value.find((one) => String(one.agentid) === text('app')) ?? null);

  const { connected } = useStream(
    () => (employee.value ? { employee: employee.value.userid } : null),
    (notices) => {
      const here = notices.filter((one) => one.kind === 'reset' || one.corp_id === employee.value?.corp_id);
      const kinds = new Set(here.map((one) => one.kind));
      const reset = kinds.has('reset');
      if (reset) void Promise.all([employees.reload(), corp.reload(), fetchClock().catch(() => undefined)]);
      if (reset || kinds.has('message') || kinds.has('session')) void sessions.reload();
      if (reset || kinds.has('app_message') || kinds.has('card')) void appMessages.reload();
      for (const listener of listeners) listener(here);
    },
  );

  async function start(): Promise<void> {
    await Promise.all([employees.reload(), fetchClock().catch(() => undefined)]);
    if (employee.value || route.params.userid) return;
    const stored = recall(STORED);
    const first = employees.data.value?.find((one) => `${one.corp_id}:${one.userid}` === stored) ?? employees.data.value?.[0];
    if (first) await router.replace(deskOf(first));
  }

  function deskOf(one: Employee): { path: string; query: LocationQueryRaw } {
    return { path: `/desk/${encodeURIComponent(one.userid)}`, query: { corp: one.corp_id, tab: tab.value } };
  }

  async function become(next: Employee): Promise<void> {
    await router.push(deskOf(next));
  }

  watch(
    () => employee.value && `${employee.value.corp_id}:${employee.value.userid}`,
    (id) => {
      for (const one of [corp, sessions, appMessages]) one.clear();
      if (!id) return;
      remember(STORED, id);
      void Promise.all([corp.reload(), sessions.reload(), appMessages.reload()]);
    },
  );

  const desk: Desk = {
    employees, employee, corp, sessions, appMessages, threads: grouped, connected, tab, open, session, thread, start, become,
    at: (place) => ({ query: { corp: employee.value?.corp_id, tab: place.tab, session: place.session && sessionKey(place.session), app: place.app } }),
    listen: (listener) => {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
  };
  provide(key, desk);
  return desk;
}

