/** Talks HTTP with the sandbox this page came from. */

/** A call that was refused or never arrived. `status` 0: the sandbox cannot be reached. */
export class SandboxError extends Error {
  constructor(
    readonly status: number,
    message: string,
  ) {
    super(message);
  }

  get unreachable(): boolean {
    return this.status === 0;
  }
}

const TIMEOUT_MS = 15_000;

type Query = Record<string, string | number | number[] | undefined>;

export function address(path: string, query: Query = {}): string {
  const parameters = new URLSearchParams();
  for (const [name, value] of Object.entries(query)) {
    if (value === undefined) continue;
    for (const one of Array.isArray(value) ? value : [value]) parameters.append(name, String(one));
  }
  const tail = parameters.toString();
  return `/sandbox${path}${tail ? `?${tail}` : ''}`;
}

export async function call<T>(method: string, path: string, options: { query?: Query; body?: unknown } = {}): Promise<T> {
  const form = options.body instanceof FormData;
  let response: Response;
  try {
    response = await fetch(address(path, options.query), {
      method,
      headers: options.body === undefined || form ? {} : { 'Content-Type': 'application/json' },
      body: options.body === undefined ? undefined : form ? (options.body as FormData) : JSON.stringify(options.body),
      signal: AbortSignal.timeout(TIMEOUT_MS),
    });
  } catch (error) {
    throw new SandboxError(0, error instanceof Error ? error.message : String(error));
  }
  if (!response.ok) throw new SandboxError(response.status, await reason(response));
  return (await response.json()) as T;
}

/** The sentence the sandbox gives, or FastAPI's list of what is wrong with the input, or the bare status. */
async function reason(response: Response): Promise<string> {
  const body: unknown = await response.json().catch(() => null);
  if (body && typeof body === 'object') {
    if ('message' in body && typeof body.message === 'string') return body.message;
    if ('detail' in body && Array.isArray(body.detail)) return body.detail.map((one: { msg?: string }) => one.msg ?? '').join('; ');
  }
  return `HTTP ${response.status}`;
}
