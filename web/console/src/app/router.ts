import { createRouter, createWebHistory, type Router } from 'vue-router';
import type { Feature } from './feature';
import { restoreSession } from './session/session';
import { useSession } from './session/store';
import ShellLayout from './shell/ShellLayout.vue';

declare module 'vue-router' {
  interface RouteMeta {
    /** A key of the texts, for the window's title. */
    title?: string;
    /** Any one of these is enough. */
    permissions?: readonly string[];
    open?: boolean;
    /** On a phone the page fills the screen when it shows one thing (`:id`). */
    full?: boolean;
  }
}

/** The area of the platform's operators. */
export function isOperators(path: string): boolean {
  return /^\/operator(\/|$)/.test(path);
}

export function makeRouter(features: readonly Feature[]): Router {
  const router = createRouter({
    history: createWebHistory(),
    routes: [
      { path: '/sign-in', name: 'sign-in', component: () => import('./session/SignInPage.vue'), meta: { open: true, title: 'app.sign_in.title' } },
      { path: '/join', name: 'join', component: () => import('./session/JoinPage.vue'), meta: { open: true, title: 'app.join.title' } },
      { path: '/handed', name: 'handed', component: () => import('./prerequisites/HandedPage.vue'), meta: { open: true, title: 'app.handed.title' } },
      { path: '/in/:door', name: 'door', component: () => import('./session/DoorPage.vue'), meta: { open: true, title: 'app.sign_in.title' } },
      { path: '/in/:door/back', name: 'door-back', component: () => import('./session/DoorPage.vue'), meta: { open: true, title: 'app.sign_in.title' } },
      { path: '/sign-up', name: 'sign-up', component: () => import('./session/SignUpPage.vue'), meta: { open: true, title: 'app.sign_up.title' } },
      { path: '/forgotten', name: 'forgotten', component: () => import('./session/ForgottenPage.vue'), meta: { open: true, title: 'app.forgotten.title' } },
      { path: '/unreachable', name: 'unreachable', component: () => import('./pages/UnreachablePage.vue'), meta: { title: 'app.unreachable.title' } },
      {
        path: '/',
        component: ShellLayout,
        children: [
          { path: '', name: 'home', component: () => import('./pages/RestPage.vue') },
          ...features.flatMap((feature) => feature.routes),
          { path: 'me', name: 'me', component: () => import('./preferences/MePage.vue'), meta: { title: 'app.me.title' } },
          { path: 'forbidden', name: 'forbidden', component: () => import('./pages/ForbiddenPage.vue'), meta: { title: 'app.forbidden.title' } },
          { path: ':rest(.*)*', name: 'rest', component: () => import('./pages/RestPage.vue') },
        ],
      },
    ],
  });

  router.beforeEach(async (to) => {
    if (to.name === 'unreachable') return true;
    // Who runs the installation signs in apart from everybody; nothing of it is loaded for a shop.
    if (isOperators(to.path)) return (await import('../operator/area')).enter(router, to);
    const signedIn = await restoreSession().catch(() => null);
    if (signedIn === null) return { name: 'unreachable', query: { next: to.fullPath } };
    if (to.meta.open) return signedIn && ['sign-in', 'sign-up', 'door', 'forgotten'].includes(String(to.name)) ? '/' : true;
    if (!signedIn) return { name: 'sign-in', query: to.fullPath === '/' ? {} : { next: to.fullPath } };
    if (to.name === 'home') return { path: useSession().me?.menu[0]?.path ?? '/me', replace: true };
    if (!useSession().allowsAny(to.meta.permissions ?? [])) return { name: 'forbidden', query: { from: to.fullPath } };
    return true;
  });
  return router;
}
