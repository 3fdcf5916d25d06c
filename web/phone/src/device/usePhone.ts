import { computed, inject, provide, ref, watch, type ComputedRef, type InjectionKey, type Ref } from 'vue';
import { useRoute, useRouter, type LocationQueryRaw } from 'vue-router';
import { fetchClock, moved, sandboxNow } from '../app/useClock';
import { recall, remember } from '../app/storage';
import { asSandboxError, useResource, type Resource } from '../app/useResource';
import type { SandboxError } from '../sandbox/client';
import * as api from '../sandbox/api';
import { useStream } from '../sandbox/stream';
import type { Chat, Customer, Entered, Notice, SandboxState } from '../sandbox/types';
import { knownCustomer, newcomer } from './customer';
import { linkIn } from './link';

export const TABS = ['chats', 'discover', 'me'] as const;
export type Tab = (typeof TABS)[number];

type Listener = (notices: Notice[]) => void;

export interface Opening extends Entered {
  at: number;
  by: string;
}

export interface Phone {
  state: Resource<SandboxState>;
  customer: Ref<Customer | null>;
  chats: Resource<Chat[]>;
  /** The phone could not be started. */
  broken: Ref<SandboxError | null>;
  connected: Ref<boolean>;
  tab: ComputedRef<Tab>;
  openKfid: ComputedRef<string | null>;
  chat: ComputedRef<Chat | null>;
  /** The last chat opened by link or account: when and by whom, for the line that says so. */
  entered: Ref<Opening | null>;
  start: () => Promise<void>;
  go: (query: { tab?: Tab; chat?: string }) => Promise<void>;
  back: () => Promise<void>;
  become: (customer: Customer) => Promise<void>;
  enter: (by: { url: string } | { open_kfid: string }) => Promise<void>;
  /** Calls the listener with each batch of notices until it is taken back. */
  listen: (listener: Listener) => () => void;
}

const key: InjectionKey<Phone> = Symbol('phone');
const STORED = 'customer';

export function usePhone(): Phone {
  const phone = inject(key);
  if (!phone) throw new Error('A screen of the phone stands outside the phone.');
  return phone;
}

/** The phone's state for all its screens: who I am, my chats, where I am. The place is kept in the address. */
export function providePhone(): Phone {
  const route = useRoute();
  const router = useRouter();
  const text = (name: string): string | null => (typeof route.query[name] === 'string' ? route.query[name] : null);

  const state = useResource(api.getState);
  const customer = ref<Customer | null>(null);
  const broken = ref<SandboxError | null>(null);
  const entered = ref<Opening | null>(null);
  const chats = useResource(() => (customer.value ? api.listChats(customer.value.external_userid) : Promise.resolve([])));
  const listeners = new Set<Listener>();

  const tab = computed<Tab>(() => TABS.find((one) => one === text('tab')) ?? 'chats');
  const openKfid = computed(() => text('chat'));
  const chat = computed(() => chats.data.value?.find((one) => one.open_kfid === openKfid.value) ?? null);

  const { connected } = useStream(
    () => (customer.value ? { customer: customer.value.external_userid } : null),
    (notices) => {
      if (notices.some((one) => one.kind === 'reset')) void refresh();
      else void chats.reload();
      for (const listener of listeners) listener(notices);
    },
  );

  // Time travel ends sessions without a notice.
  watch(moved, () => void chats.reload());

  function query(place: { tab?: Tab; chat?: string }): LocationQueryRaw {
    return { customer: customer.value?.external_userid, ...place };
  }

  async function refresh(): Promise<void> {
    try {
      // After a reset of the sandbox this customer is unknown; the phone starts anew.
      if (!(await knownCustomer(customer.value?.external_userid ?? null))) return await start();
      await Promise.all([state.reload(), chats.reload(), fetchClock()]);
    } catch (failure) {
      broken.value = asSandboxError(failure);
    }
  }

  async function start(): Promise<void> {
    const link = linkIn(route.query);
    try {
      await Promise.all([state.reload(), fetchClock()]);
      if (state.error.value) throw state.error.value;
      const me = (await knownCustomer(text('customer') ?? recall(STORED))) ?? (link ? null : state.data.value?.customers[0]) ?? (await newcomer());
      customer.value = me;
      remember(STORED, me.external_userid);
      const stays = text('customer') === me.external_userid;
      await router.replace({ query: query(stays ? { tab: tab.value, chat: openKfid.value ?? undefined } : {}) });
      await chats.reload();
      broken.value = null;
      if (link) await enter({ url: link });
    } catch (failure) {
      broken.value = asSandboxError(failure);
    }
  }

  async function become(next: Customer): Promise<void> {
    if (next.external_userid === customer.value?.external_userid) {
      customer.value = next;
      return;
    }
    customer.value = next;
    remember(STORED, next.external_userid);
    chats.clear();
    await router.push({ query: query({}) });
    await Promise.all([chats.reload(), state.reload()]);
  }

  async function enter(by: { url: string } | { open_kfid: string }): Promise<void> {
    const me = customer.value?.external_userid;
    if (!me) return;
    const at = sandboxNow();
    const opened = await api.enterChat(me, by);
    entered.value = { ...opened, at, by: me };
    await chats.reload();
    await go({ chat: opened.open_kfid });
  }

  async function go(place: { tab?: Tab; chat?: string }): Promise<void> {
    await router.push({ query: query(place) });
  }

  const back = (): Promise<void> => go({ tab: 'chats' });

  function listen(listener: Listener): () => void {
    listeners.add(listener);
    return () => listeners.delete(listener);
  }

  const phone: Phone = { state, customer, chats, broken, connected, tab, openKfid, chat, entered, start, go, back, become, enter, listen };
  provide(key, phone);
  return phone;
}
