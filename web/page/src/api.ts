import type { Sent, Visit, VisitorMessages } from '@huitouke/api/visitor';

/** The request was not answered as hoped. `status` 0: no answer at all. */
export class Refused extends Error {
  constructor(
    readonly status: number,
    readonly type: string,
    readonly sentence: string | null,
    readonly waitSeconds = 0,
  ) {
    super(type);
  }

  /** The same request may succeed a moment later. */
  get passing(): boolean {
    return this.status === 0 || this.status >= 500;
  }
}

const SECONDS = 20;

/** The visitors' API of one page. */
export class Api {
  readonly place: string;

  constructor(code: string) {
    this.place = `/visitor/api/pages/${code}`;
  }

  visit(): Promise<Visit> {
    return this.ask('POST', '/visit');
  }

  after(seq: number): Promise<VisitorMessages> {
    return this.ask('GET', `/messages?after=${seq}`);
  }

  before(seq: number): Promise<VisitorMessages> {
    return this.ask('GET', `/messages?before=${seq}`);
  }

  write(clientId: string, text: string): Promise<Sent> {
    return this.ask('POST', '/messages', { client_id: clientId, text });
  }

  connect(): WebSocket {
    return new WebSocket(`${location.origin.replace(/^http/, 'ws')}${this.place}/realtime`);
  }

  private async ask<T>(method: string, path: string, body?: unknown): Promise<T> {
    const stop = new AbortController();
    const timer = setTimeout(() => stop.abort(), SECONDS * 1000);
    let answer: Response;
    try {
      answer = await fetch(this.place + path, {
        method,
        headers: { 'X-Requested-With': 'huitouke', ...(body === undefined ? {} : { 'Content-Type': 'application/json' }) },
        body: body === undefined ? undefined : JSON.stringify(body),
        credentials: 'same-origin',
        cache: 'no-store',
        signal: stop.signal,
      });
      if (answer.ok) return (await answer.json()) as T;
    } catch {
      throw new Refused(0, 'network', null);
    } finally {
      clearTimeout(timer);
    }
    throw await refusal(answer);
  }
}

async function refusal(answer: Response): Promise<Refused> {
  const problem = (await answer.json().catch(() => ({}))) as { type?: string; detail?: string };
  const type = (problem.type ?? 'unknown').replace('/problems/', '');
  return new Refused(answer.status, type, problem.detail ?? null, Number(answer.headers.get('Retry-After') ?? 0));
}
