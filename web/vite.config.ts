import vue from '@vitejs/plugin-vue'
import { defineConfig } from 'vite'

// Two pages: the phone app of residents and the console of venues, guards and epidemiologists. Nothing is inlined, so
// that the origin can forbid inline scripts and styles; source maps stay out of the published folder.
export default defineConfig({
  plugins: [vue()],
  define: { __VUE_OPTIONS_API__: false, __VUE_PROD_DEVTOOLS__: false },
  build: {
    target: 'es2022',
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    rollupOptions: { input: { phone: 'index.html', console: 'console.html' } },
  },
  server: { proxy: { '/api': 'http://127.0.0.1:8000', '/gate': 'http://127.0.0.1:8000' } },
})
