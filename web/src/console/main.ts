import { createApp, watchEffect } from 'vue'
import '../design/tokens.css'
import '../design/base.css'
import './print.css'
import ConsoleApp from './ConsoleApp.vue'
import { consoleRouter, leaveWhenSignedOut } from './router'
import { keepShell } from '../service-worker/register'

const router = consoleRouter()
leaveWhenSignedOut(router, watchEffect)
createApp(ConsoleApp).use(router).mount('#app')
keepShell()
