/** Answers that were asked for before the console's parts had arrived (console/public/boot.js). */
interface Early {
  at: number;
  answers: Map<string, Promise<Response>>;
}

declare global {
  interface Window {
    huitoukeEarly?: Early;
  }
}

/** An answer older than this may tell of another moment than the one that asks. */
const FRESH_MS = 15_000;

/** The same request as boot.js names it: parameters in the order of their names. */
function nameOf(url: URL): string {
  const query = [...url.searchParams].map(([name, value]) => `${name}=${value}`).sort();
  return query.length ? `${url.pathname}?${query.join('&')}` : url.pathname;
}

/** The early answer to this request, once; else the request goes out. */
export async function fetchEarly(request: Request): Promise<Response> {
  const early = typeof window === 'undefined' ? undefined : window.huitoukeEarly;
  const name = early?.answers.size ? nameOf(new URL(request.url)) : '';
  const answer = request.method === 'GET' ? early?.answers.get(name) : undefined;
  if (!early || !answer) return globalThis.fetch(request);
  early.answers.delete(name);
  if (performance.now() - early.at > FRESH_MS) return globalThis.fetch(request);
  // Whatever went wrong with it (a server that restarts, a line that broke) may be gone: ask as if nobody had.
  return answer.catch(() => globalThis.fetch(request));
}
