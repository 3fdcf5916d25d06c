import { configureApi } from '@huitouke/api';
import { whenOperatorSignedOut } from '@huitouke/api/operator';
import type { RouteLocationNormalized, Router, RouteRecordRaw } from 'vue-router';
import { addTexts } from '@/app/i18n';
import { restoreOperator } from './session';

const routes: RouteRecordRaw[] = [
  { path: '/operator/sign-in', name: 'operator-sign-in', component: () => import('./pages/OperatorSignInPage.vue'), meta: { title: 'operator.sign_in.title' } },
  {
    path: '/operator',
    component: () => import('./OperatorLayout.vue'),
    children: [
      { path: '', name: 'operator-home', redirect: '/operator/tenants' },
      { path: 'tenants', component: () => import('./pages/TenantsPage.vue'), meta: { title: 'operator.tenants.title' } },
      { path: 'tenants/:id', component: () => import('./pages/TenantPage.vue'), props: true, meta: { title: 'operator.tenants.title' } },
      { path: 'plans', component: () => import('./pages/PlansPage.vue'), meta: { title: 'operator.plans.title' } },
      { path: 'settings', component: () => import('./pages/PlatformSettingsPage.vue'), meta: { title: 'operator.settings.title' } },
      { path: 'log', component: () => import('./pages/LogPage.vue'), meta: { title: 'operator.log.title' } },
      { path: ':rest(.*)*', name: 'operator-rest', component: () => import('@/app/pages/NotFoundPage.vue'), props: { start: '/operator', framed: true } },
    ],
  },
];

const texts = { 'zh-CN': () => import('./locales/zh-CN.json'), en: () => import('./locales/en.json') };

async function open(router: Router): Promise<void> {
  await addTexts(texts);
  for (const route of routes) router.addRoute(route);
  const signIn = (): void => void router.push({ name: 'operator-sign-in', query: { next: router.currentRoute.value.fullPath } });
  whenOperatorSignedOut(signIn);
  // Nothing of a shop is asked for here, so the end of a shop's session leads nowhere.
  configureApi({ onSignedOut: () => {} });
}

/** Whether the operator may go there; makes the area's routes when it is entered for the first time. */
export async function enter(router: Router, to: RouteLocationNormalized) {
  if (!router.hasRoute('operator-home')) {
    await open(router);
    return to.fullPath;
  }
  const signedIn = await restoreOperator().catch(() => null);
  if (signedIn === null) return { name: 'unreachable', query: { next: to.fullPath } };
  if (to.name === 'operator-sign-in') return signedIn ? '/operator' : true;
  return signedIn || { name: 'operator-sign-in', query: { next: to.fullPath } };
}
