import { createApp } from 'vue'
import '../design/tokens.css'
import '../design/base.css'
import PhoneApp from './PhoneApp.vue'
import { phoneRouter } from './router'

createApp(PhoneApp).use(phoneRouter()).mount('#app')
