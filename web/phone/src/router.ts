import { createRouter, createWebHistory, type Router } from 'vue-router';

/** The phone keeps its place in the query (customer, chat, tab), the desk its employee in the path. */
export function makeRouter(): Router {
  return createRouter({
    history: createWebHistory(),
    routes: [
      { path: '/', name: 'phone', component: () => import('./device/PhonePage.vue') },
      { path: '/desk/:userid?', name: 'desk', component: () => import('./desk/DeskPage.vue') },
      { path: '/:rest(.*)*', redirect: '/' },
    ],
  });
}
