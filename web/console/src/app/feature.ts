import type { QueryClient } from '@tanstack/vue-query';
import type { RouteRecordRaw } from 'vue-router';
import type { Finder } from './commands/finding';
import type { Command } from './commands/registry';
import type { Live } from './live';

/** What the console adds to an entry of the server's menu that it knows. */
export interface MenuExtra {
  /** The letter after `g`. */
  key: string;
  /** A number beside the icon: how many wait for a person. */
  badge?: () => Readonly<{ value: number }>;
}

/** What a feature does with what the socket brings. Only the cache is touched, never a component. */
export interface LiveHandlers {
  streams?: Record<string, (id: string, data: unknown, cache: QueryClient) => void>;
  hints?: Record<string, (id: string | null, cache: QueryClient) => void>;
  changed?: (ids: readonly string[], cache: QueryClient) => void;
  reset?: (stream: string, id: string, cache: QueryClient) => void;
  /** The line came back; `since` is null when it is unknown for how long it was gone. */
  resumed?: (since: string | null, cache: QueryClient, live: Live) => void;
}

/** What a feature hands the shell: everything, in one object. */
export interface Feature {
  name: string;
  routes: readonly RouteRecordRaw[];
  /** By the entry's name in the server's manifest, which gives label, path, icon, order and who may see it. */
  menu?: Readonly<Record<string, MenuExtra>>;
  live?: LiveHandlers;
  commands?: readonly Command[];
  /** What the palette finds by words. */
  find?: readonly Finder[];
}
