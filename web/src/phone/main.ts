import { createApp } from 'vue'
import '../design/tokens.css'
import '../design/base.css'
import { whenSignedOut } from '../api/client'
import { holderLeft, holding } from './holder'
import PhoneApp from './PhoneApp.vue'
import { phoneRouter } from './router'
import { keepShell } from '../service-worker/register'

const router = phoneRouter()

// The two pages that hold a scanned poster keep it and lead to the sign-in themselves.
const KEEPS_POSTER = new Set(['/scan', '/v'])

whenSignedOut(() => {
  if (!holding.value) return
  holderLeft()
  if (!KEEPS_POSTER.has(router.currentRoute.value.path)) void router.replace('/?ended')
})

createApp(PhoneApp).use(router).mount('#app')
keepShell()
