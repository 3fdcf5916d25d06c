import createClient, { type Client, type Middleware } from 'openapi-fetch';
import { fetchEarly } from './early';
import { networkProblem, problemFrom } from './errors';
import type { paths } from './types';

let locale = 'zh-CN';
let onSignedOut: () => void = () => {};

/** The language the server answers in, and what happens when the session has ended. */
export function configureApi(options: { locale?: string; onSignedOut?: () => void }): void {
  locale = options.locale ?? locale;
  onSignedOut = options.onSignedOut ?? onSignedOut;
}

/** A browser sends this header only from our own page; the server asks for it before any change. */
const CSRF_HEADER = { 'X-Requested-With': 'huitouke' };

export const api = createClient<paths>({ baseUrl: '', headers: CSRF_HEADER, credentials: 'same-origin', fetch: fetchEarly });

const language: Middleware = {
  onRequest({ request }) {
    request.headers.set('Accept-Language', locale);
    return request;
  },
  onError() {
    return networkProblem();
  },
};

api.use(language);

/** A client of another surface, which speaks as this one does. */
export function clientOf<Paths extends object>(): Client<Paths> {
  const client = createClient<Paths>({ baseUrl: '', headers: CSRF_HEADER, credentials: 'same-origin' });
  client.use(language);
  return client;
}

interface Answer<T> {
  data?: T;
  error?: unknown;
  response: Response;
}

function isSession(response: Response): boolean {
  return response.url.endsWith('/api/session');
}

/** The body of a good answer; every other answer becomes an ApiProblem. */
export async function unwrap<T>(answer: Promise<Answer<T>>): Promise<T> {
  const { data, error, response } = await answer;
  if (response.ok) return data as T;
  const problem = problemFrom(response.status, error);
  if (problem.type === 'tenant_suspended' && !isSession(response)) onSignedOut();
  // A wrong password or code is a 401 as well, and ends nothing.
  if (problem.type === 'unauthenticated' && !isSession(response)) onSignedOut();
  throw problem;
}

/** What a plug-in's own route answers; only addresses of our own API, whose types we cannot know. */
export async function getJson(path: string): Promise<unknown> {
  if (!path.startsWith('/api/')) throw new Error(`${path} is no address of the API`);
  const answer = await fetch(path, { headers: { ...CSRF_HEADER, 'Accept-Language': locale }, credentials: 'same-origin' }).catch(() => {
    throw networkProblem();
  });
  const body: unknown = await answer.json().catch(() => null);
  return unwrap(Promise.resolve(answer.ok ? { data: body, response: answer } : { error: body, response: answer }));
}

/** The bytes of a file of ours, by its signed address; asked of our own host, whichever the address names. */
export async function fileBytes(url: string): Promise<ArrayBuffer> {
  const { pathname, search } = new URL(url, location.href);
  const answer = await fetch(pathname + search, { credentials: 'same-origin' }).catch(() => {
    throw networkProblem();
  });
  if (!answer.ok) throw problemFrom(answer.status, null);
  return answer.arrayBuffer();
}

/** Sends one file as a form; `onProgress` gets 0 … 1. Multipart progress is what fetch cannot tell. */
export function upload<T>(url: string, file: File, onProgress: (share: number) => void = () => {}, signal?: AbortSignal): Promise<T> {
  return new Promise((resolve, reject) => {
    const request = new XMLHttpRequest();
    request.open('POST', url);
    request.responseType = 'json';
    request.setRequestHeader('X-Requested-With', CSRF_HEADER['X-Requested-With']);
    request.setRequestHeader('Accept-Language', locale);
    request.upload.onprogress = (event) => onProgress(event.lengthComputable ? event.loaded / event.total : 0);
    request.onerror = () => reject(networkProblem());
    request.onabort = () => reject(networkProblem());
    request.onload = () => {
      if (request.status === 401) onSignedOut();
      if (request.status < 300) resolve(request.response as T);
      else reject(problemFrom(request.status, request.response));
    };
    signal?.addEventListener('abort', () => request.abort());
    const form = new FormData();
    form.append('file', file, file.name);
    request.send(form);
  });
}
