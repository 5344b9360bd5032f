import { nextTick } from 'vue'
import { createRouter, createWebHistory, type Router } from 'vue-router'
import { asApiError } from '../api/problem'
import { failOver } from '../guard/connection'
import { recallShift } from '../guard/post'
import LoginPage from './pages/LoginPage.vue'
import { dutiesOf, knowOperator, operator } from './operator'

declare module 'vue-router' {
  interface RouteMeta {
    readonly title: string
  }
}

/** The pages of the console, below /console. All but the log-in need an operator. */
export function consoleRouter(): Router {
  const router = createRouter({
    history: createWebHistory('/console'),
    routes: [
      { path: '/', name: 'login', component: LoginPage, meta: { title: 'login' } },
      { path: '/venues', component: () => import('./pages/VenuesPage.vue'), meta: { title: 'venues' } },
      { path: '/venues/:venue', component: () => import('./pages/VenuePage.vue'), meta: { title: 'venues' } },
      { path: '/check', component: () => import('./pages/CheckPage.vue'), meta: { title: 'check' } },
      { path: '/bus', component: () => import('../guard/pages/BusPage.vue'), meta: { title: 'bus' } },
      { path: '/lookup', component: () => import('../guard/pages/LookupPage.vue'), meta: { title: 'lookup' } },
      { path: '/explain', component: () => import('./pages/ExplainPage.vue'), meta: { title: 'explain' } },
      { path: '/:any(.*)*', redirect: '/' },
    ],
    scrollBehavior: (_to, _from, saved) => saved ?? { top: 0 },
  })
  router.beforeEach(async (to) => {
    // Without an answer the page opens and its own request says what is wrong.
    let isCut = false
    const who = await knowOperator().catch((error: unknown) => {
      isCut = asApiError(error).kind === 'offline'
      return undefined
    })
    const first = dutiesOf(who)[0]
    // A device whose shift has begun goes on without network, and says so, whatever the browser makes of its network.
    if (who === undefined && (await recallShift())) {
      if (isCut) failOver()
      if (to.name === 'login') return '/check'
    }
    if (to.name === 'login') return first ? `/${first}` : true
    return who === null ? '/' : true
  })
  router.afterEach((_to, from) => {
    if (from.matched.length > 0) void nextTick(() => document.querySelector<HTMLElement>('main h1')?.focus())
  })
  return router
}

/** Sends people to the log-in as soon as the session is known to be over. */
export function leaveWhenSignedOut(router: Router, watch: (react: () => void) => void): void {
  watch(() => {
    if (operator.value === null && router.currentRoute.value.name !== 'login') void router.replace('/')
  })
}
