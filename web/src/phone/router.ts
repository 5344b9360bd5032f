import { nextTick } from 'vue'
import { createRouter, createWebHistory, type Router } from 'vue-router'
import CodePage from './pages/CodePage.vue'
import WelcomePage from './pages/WelcomePage.vue'
import { holding } from './holder'

declare module 'vue-router' {
  interface RouteMeta {
    /** Only for people with a session; others are sent to the welcome page. */
    readonly held?: boolean
    readonly title: string
  }
}

/** The pages of the phone app. The two a person lands on are in the first download, the rest come when asked for. */
export function phoneRouter(): Router {
  const router = createRouter({
    history: createWebHistory('/'),
    routes: [
      { path: '/', component: WelcomePage, meta: { title: 'welcome' } },
      { path: '/code', component: CodePage, meta: { title: 'code', held: true } },
      { path: '/claim', component: () => import('./pages/ClaimPage.vue'), meta: { title: 'claim' } },
      { path: '/login', component: () => import('./pages/LoginPage.vue'), meta: { title: 'login' } },
      { path: '/declare', component: () => import('./pages/DeclarePage.vue'), meta: { title: 'declare', held: true } },
      { path: '/scan', component: () => import('./pages/ScanPage.vue'), meta: { title: 'scan', held: true } },
      { path: '/v', component: () => import('./pages/PosterPage.vue'), meta: { title: 'scan' } },
      { path: '/t', component: () => import('./pages/PosterPage.vue'), meta: { title: 'scan' } },
      { path: '/reasons', component: () => import('./pages/ReasonsPage.vue'), meta: { title: 'reasons', held: true } },
      { path: '/reads', component: () => import('./pages/ReadsPage.vue'), meta: { title: 'reads', held: true } },
      { path: '/card', component: () => import('./pages/CardPage.vue'), meta: { title: 'card', held: true } },
      { path: '/settings', component: () => import('./pages/SettingsPage.vue'), meta: { title: 'settings' } },
      { path: '/:any(.*)*', component: () => import('./pages/MissingPage.vue'), meta: { title: 'missing' } },
    ],
    scrollBehavior: (_to, _from, saved) => saved ?? { top: 0 },
  })
  router.beforeEach((to) => {
    if (to.path === '/' && holding.value) return '/code'
    if (to.meta.held && !holding.value) return '/'
    return true
  })
  // A new page starts at its heading, also for those who do not see it change; not on the first load.
  router.afterEach((_to, from) => {
    if (from.matched.length > 0) void nextTick(() => document.querySelector<HTMLElement>('main h1')?.focus())
  })
  return router
}
