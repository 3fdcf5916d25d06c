import type { QueryClient } from '@tanstack/vue-query';
import type { Component } from 'vue';
import type { RouteRecordRaw } from 'vue-router';
import type { Command } from './commands/registry';
import type { Live } from './live';

/** One entry of the rail, and of the bottom bar on a phone. `title` is a key of the feature's texts. */
export interface MenuEntry {
  id: string;
  title: string;
  icon: Component;
  to: string;
  order: number;
  /** Any one of these opens the entry; none means everybody. */
  permissions: readonly string[];
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
  menu?: readonly MenuEntry[];
  live?: LiveHandlers;
  commands?: readonly Command[];
}
