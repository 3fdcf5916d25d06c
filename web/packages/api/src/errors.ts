/** A problem document (RFC 9457) as the server sends it. */
export interface ProblemDocument {
  type: string;
  title?: string;
  status: number;
  detail?: string;
  field?: string | null;
  params?: Record<string, unknown> | null;
  request_id?: string | null;
}

/**
 * What went wrong with a request. `message` is a sentence for people when the server gave one, else the
 * key of one (`errors.network`, `errors.server`, `errors.unexpected`); `isKey` tells which.
 */
export class ApiProblem extends Error {
  constructor(
    readonly status: number,
    readonly type: string,
    message: string,
    readonly isKey: boolean,
    readonly field: string | null = null,
    readonly params: Record<string, unknown> = {},
    readonly requestId: string | null = null,
  ) {
    super(message);
    this.name = 'ApiProblem';
  }

  /** True when the same request may succeed a moment later. */
  get transient(): boolean {
    return this.status === 0 || this.status >= 500;
  }
}

export function networkProblem(): ApiProblem {
  return new ApiProblem(0, 'network', 'errors.network', true);
}

export function problemFrom(status: number, body: unknown): ApiProblem {
  const document = (typeof body === 'object' && body !== null ? body : {}) as Partial<ProblemDocument>;
  const type = (document.type ?? 'unknown').replace(/^\/problems\//, '');
  if (typeof document.detail === 'string' && document.detail) {
    return new ApiProblem(status, type, document.detail, false, document.field ?? null, document.params ?? {}, document.request_id ?? null);
  }
  const key = status >= 500 ? 'errors.server' : 'errors.unexpected';
  return new ApiProblem(status, type, key, true, null, {}, document.request_id ?? null);
}
