import { defineConfig } from 'vite'

// The charts of the incident report: one script that `tianfu trace report` writes into a page of its own. It is never
// served, so it lies beside the published folder and not in it.
export default defineConfig({
  publicDir: false,
  // A library build leaves this to whoever uses the library; here nobody does.
  define: { 'process.env.NODE_ENV': JSON.stringify('production') },
  build: {
    target: 'es2022',
    outDir: 'dist-report',
    lib: { entry: 'src/report/main.ts', name: 'tianfuReport', formats: ['iife'], fileName: () => 'report.js' },
  },
})
