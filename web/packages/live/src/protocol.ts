/** Frames of the socket, as `docs/protocol.md` describes them. Ids are UUIDs, times ISO 8601 in UTC. */
export type ServerFrame =
  | { type: 'hello'; protocol: number; build: string; now: string }
  | { type: 'frame'; stream: string; id: string; seq: number; data: unknown }
  | { type: 'hint'; kind: string; id?: string | null; version?: number | null }
  | { type: 'heartbeat'; heads: Record<string, number> }
  | { type: 'changed'; ids: string[] }
  | { type: 'reset'; stream: string; id: string }
  | { type: 'error'; [detail: string]: unknown };

export type ClientFrame = { type: 'open'; streams: Record<string, number>; since: string | null } | { type: 'pong' };

export const PROTOCOL = 1;
