import { createApp } from 'vue'
import '../design/tokens.css'
import '../design/base.css'
import './print.css'
import { pause } from '../api/backoff'
import { whenSignedOut } from '../api/client'
import { watchClock } from '../clock/phone-clock'
import { clockStore } from '../credentials/holdings'
import { holderLeft, holding } from './holder'
import PhoneApp from './PhoneApp.vue'
import { workInBackground } from './offline-work'
import { phoneRouter } from './router'
import { keepShell } from '../service-worker/register'

// A browser whose storage does not answer opens the app all the same.
const STORAGE_MILLISECONDS = 500

const router = phoneRouter()

// The two pages that hold a scanned poster keep it and lead to the sign-in themselves.
const KEEPS_POSTER = new Set(['/scan', '/v', '/t'])

whenSignedOut(() => {
  if (!holding.value) return
  holderLeft()
  if (!KEEPS_POSTER.has(router.currentRoute.value.path)) void router.replace('/?ended')
})

await Promise.race([watchClock(clockStore), pause(STORAGE_MILLISECONDS, new AbortController().signal)])
createApp(PhoneApp).use(router).mount('#app')
workInBackground()
keepShell()
