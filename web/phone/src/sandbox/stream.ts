/** The sandbox's stream of changes, with reconnection: after a gap the listener is told to fetch everything. */
import { onScopeDispose, ref, watch, type Ref } from 'vue';
import { address } from './client';
import type { Notice } from './types';

const RECONNECT_FIRST_MS = 500;
const RECONNECT_LAST_MS = 10_000;
/** Notices that arrive together are handed over together. */
const GATHER_MS = 40;

export function reconnectDelay(attempt: number): number {
  return Math.min(RECONNECT_FIRST_MS * 2 ** attempt, RECONNECT_LAST_MS);
}

export interface StreamFilter {
  customer?: string;
  employee?: string;
}

/**
 * Listens while the scope lives, again whenever the filter changes; null listens to nothing.
 * `onNotices` gets batches in order; a connection that comes back gives `reset` first.
 */
export function useStream(filter: () => StreamFilter | null, onNotices: (notices: Notice[]) => void): { connected: Ref<boolean> } {
  const connected = ref(true);
  let source: EventSource | null = null;
  let retry: ReturnType<typeof setTimeout> | undefined;
  let gather: ReturnType<typeof setTimeout> | undefined;
  let gathered: Notice[] = [];
  let attempt = 0;
  let opened = false;

  function offer(notice: Notice): void {
    gathered.push(notice);
    gather ??= setTimeout(() => {
      gather = undefined;
      const batch = gathered;
      gathered = [];
      onNotices(batch);
    }, GATHER_MS);
  }

  function open(wanted: StreamFilter): void {
    source = new EventSource(address('/stream', { ...wanted }));
    source.onopen = () => {
      attempt = 0;
      connected.value = true;
      if (opened) offer({ kind: 'reset' });
      opened = true;
    };
    source.onmessage = (event: MessageEvent<string>) => offer(JSON.parse(event.data) as Notice);
    source.onerror = () => {
      source?.close();
      connected.value = false;
      // Whatever is missed from here on must be fetched, also when the very first attempt failed.
      opened = true;
      retry = setTimeout(() => open(wanted), reconnectDelay(attempt++));
    };
  }

  function close(): void {
    source?.close();
    clearTimeout(retry);
    clearTimeout(gather);
    gather = undefined;
    gathered = [];
    opened = false;
  }

  watch(
    () => JSON.stringify(filter()),
    (wanted) => {
      close();
      if (wanted !== 'null') open(JSON.parse(wanted) as StreamFilter);
    },
    { immediate: true },
  );
  onScopeDispose(close);
  return { connected };
}
