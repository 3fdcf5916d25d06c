import { LiveSocket, type LiveState } from '@huitouke/live';
import type { QueryClient } from '@tanstack/vue-query';
import { inject, readonly, ref, type InjectionKey, type Ref } from 'vue';
import type { Feature } from './feature';

/** What screens may ask of the socket: to follow something, and how it is doing. */
export interface Live {
  state: Readonly<Ref<LiveState>>;
  /** True once the server runs another build than the one this page came from. */
  newBuild: Readonly<Ref<boolean>>;
  start(): void;
  stop(): void;
  follow(id: string, seq: number): void;
  restart(id: string, seq: number): void;
  unfollow(id: string): void;
}

export const liveKey: InjectionKey<Live> = Symbol('live');

export function useLive(): Live {
  const live = inject(liveKey);
  if (!live) throw new Error('the live connection is provided by main.ts');
  return live;
}

function address(): string {
  const { protocol, host } = window.location;
  return `${protocol === 'https:' ? 'wss' : 'ws'}://${host}/realtime`;
}

/** Something arrived that no feature registered for: a mistake while developing, harmless later. */
function unowned(what: string): void {
  if (import.meta.env.DEV) throw new Error(`nobody handles ${what}`);
}

/** Receives, and gives each frame and hint to the features that registered for it. */
export function makeLive(features: readonly Feature[], cache: QueryClient): Live {
  const state = ref<LiveState>('closed');
  const newBuild = ref(false);
  let firstBuild: string | null = null;
  const handlers = features.flatMap((feature) => feature.live ?? []);

  const socket = new LiveSocket(
    {
      connect: () => new WebSocket(address()),
      random: Math.random,
      monotonic: () => performance.now(),
      setTimeout: (run, milliseconds) => window.setTimeout(run, milliseconds),
      clearTimeout: (timer) => window.clearTimeout(timer as number | undefined),
    },
    {
      state: (now) => (state.value = now),
      hello: (build) => {
        firstBuild ??= build;
        newBuild.value = build !== firstBuild;
      },
      frame: (stream, id, _seq, data) => {
        const owners = handlers.flatMap((one) => one.streams?.[stream] ?? []);
        if (!owners.length) unowned(`stream ${stream}`);
        owners.forEach((handle) => handle(id, data, cache));
      },
      hint: (kind, id) => {
        const owners = handlers.flatMap((one) => one.hints?.[kind] ?? []);
        if (!owners.length) unowned(`hint ${kind}`);
        owners.forEach((handle) => handle(id, cache));
      },
      changed: (ids) => handlers.forEach((one) => one.changed?.(ids, cache)),
      reset: (stream, id) => handlers.forEach((one) => one.reset?.(stream, id, cache)),
      resumed: (since) => handlers.forEach((one) => one.resumed?.(since, cache, live)),
    },
  );

  const live: Live = {
    state: readonly(state),
    newBuild: readonly(newBuild),
    start: () => socket.start(),
    stop: () => socket.stop(),
    follow: (id, seq) => socket.open(id, seq),
    restart: (id, seq) => socket.reopen(id, seq),
    unfollow: (id) => socket.close(id),
  };
  window.addEventListener('online', () => socket.hurry());
  return live;
}
