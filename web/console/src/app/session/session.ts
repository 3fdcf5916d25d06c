import { api, ApiProblem, unwrap, type Me, type SignUp } from '@huitouke/api';
import { useLocale } from '../i18n';
import { useSession } from './store';

/** Read by boot.js, which then asks for the inbox before the console has started: set for who sees it first. */
const SIGNED_IN = 'huitouke.signed_in';

async function become(me: Me): Promise<void> {
  useSession().me = me;
  if (me.permissions.includes('conversations.view') && !me.tenant.simple_mode) localStorage.setItem(SIGNED_IN, '1');
  else localStorage.removeItem(SIGNED_IN);
  await useLocale(me.user.locale);
}

/** Asks the server who we are; false when nobody is signed in. */
export async function restoreSession(): Promise<boolean> {
  const session = useSession();
  if (session.me) return true;
  try {
    await become(await unwrap(api.GET('/api/session')));
    return true;
  } catch (error) {
    if (error instanceof ApiProblem && (error.status === 401 || error.type === 'tenant_suspended')) {
      localStorage.removeItem(SIGNED_IN);
      session.shutOut = error.status === 401 ? '' : error.message;
      return false;
    }
    throw error;
  }
}

/** Asks anew what we may do. When that fails, nothing changes: the next refusal, or the next page, tells. */
export async function renewSession(): Promise<void> {
  const me = await unwrap(api.GET('/api/session')).catch(() => null);
  if (me) useSession().me = me;
}

/** Who has turned on the second step owes a code: then it is the challenge that the code goes with. */
type Admitted = Me | { challenge: string };

async function admitted(answer: Admitted): Promise<string | null> {
  if ('challenge' in answer) return answer.challenge;
  await become(answer);
  return null;
}

/** Signs in; gives a challenge instead where a code has to follow. */
export async function signIn(signInName: string, password: string): Promise<string | null> {
  return admitted(await unwrap<Admitted>(api.POST('/api/session', { body: { sign_in_name: signInName, password } })));
}

/** Sets the password that a link permits, once, and signs in, or gives a challenge. */
export async function useLink(token: string, password: string): Promise<string | null> {
  return admitted(await unwrap<Admitted>(api.POST('/api/access-links/use', { body: { token, password } })));
}

/** Where the browser goes to be recognised by WeCom. */
export async function wayToWecom(door: string, inside: boolean): Promise<string> {
  const way = await unwrap(api.POST('/api/wecom-doors/{door}/way', { params: { path: { door } }, body: { inside } }));
  return way.url;
}

/** Signs in who comes back from WeCom; gives a challenge instead where a code has to follow. */
export async function signInWithWecom(door: string, code: string, state: string): Promise<string | null> {
  return admitted(await unwrap<Admitted>(api.POST('/api/wecom-doors/{door}/sign-in', { params: { path: { door } }, body: { code, state } })));
}

/** Makes a shop and signs its owner in. */
export async function signUp(wish: SignUp): Promise<void> {
  await become(await unwrap(api.POST('/api/sign-up', { body: wish })));
}

/** The second step: the app's code, or a recovery code. */
export async function giveCode(challenge: string, code: string): Promise<void> {
  await become(await unwrap(api.POST('/api/session/second-step', { body: { challenge, code } })));
}

export async function signOut(): Promise<void> {
  await unwrap(api.DELETE('/api/session'));
  localStorage.removeItem(SIGNED_IN);
  // A full load: nothing of this person may stay in memory.
  window.location.assign('/sign-in');
}

export async function changeLocale(locale: string): Promise<void> {
  await become(await unwrap(api.PATCH('/api/session', { body: { locale } })));
}

/** Few pages or all of them, for everybody in the shop. */
export async function setSimpleMode(simple: boolean): Promise<void> {
  await become(await unwrap(api.PUT('/api/simple-mode', { body: { simple_mode: simple } })));
}

/** `code`: of the app or a recovery code, where a second step is on. */
export async function changePassword(current: string, wanted: string, code: string | null): Promise<void> {
  await unwrap(api.POST('/api/session/password', { body: { old_password: current, new_password: wanted, code } }));
}
