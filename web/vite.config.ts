import vue from '@vitejs/plugin-vue'
import { defineConfig } from 'vite'
import { precache } from './scripts/precache.mjs'

// Two pages: the phone app of residents and the console of venues, guards and epidemiologists; and the service worker,
// whose address must not change with its content. Nothing is inlined, so that the origin can forbid inline scripts and
// styles; source maps stay out of the published folder.
export default defineConfig({
  plugins: [vue(), precache()],
  define: { __VUE_OPTIONS_API__: false, __VUE_PROD_DEVTOOLS__: false },
  build: {
    target: 'es2022',
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    rollupOptions: {
      input: { phone: 'index.html', console: 'console.html', 'service-worker': 'src/service-worker/worker.ts' },
      output: {
        entryFileNames: (chunk) => (chunk.name === 'service-worker' ? '[name].js' : 'assets/[name]-[hash].js'),
      },
    },
  },
  server: { proxy: { '/api': 'http://127.0.0.1:8000', '/gate': 'http://127.0.0.1:8000' } },
})
