// Measures what the first screen of each app downloads: its page and everything that page asks for by itself, each
// compressed. Exits 1 when the phone app is over its budget. With --if-built it is silent when there is no build.
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { gzipSync } from 'node:zlib'

const DIST = fileURLToPath(new URL('../dist', import.meta.url))
// The project's budget is 170 kB; the app is far below it, so the limit kept here is the aim.
const PHONE_BYTES_MAX = 100_000

if (!existsSync(join(DIST, 'index.html'))) {
  if (process.argv.includes('--if-built')) process.exit(0)
  console.error('there is no build: run npm run build first')
  process.exit(1)
}

function firstScreenBytes(page) {
  const html = readFileSync(join(DIST, page))
  // A browser takes the picture for a home screen when the app is put on one.
  const shown = html.toString().replaceAll(/<link rel="apple-touch-icon"[^>]*>/g, '')
  const parts = [...shown.matchAll(/(?:src|href)="(\/[^"]+)"/g)].map((match) => match[1])
  return [html, ...parts.map((part) => readFileSync(join(DIST, part)))]
    .map((bytes) => gzipSync(bytes, { level: 9 }).length)
    .reduce((sum, bytes) => sum + bytes, 0)
}

const phone = firstScreenBytes('index.html')
console.log(`first screen, compressed: phone ${phone} B (at most ${PHONE_BYTES_MAX}), console ${firstScreenBytes('console.html')} B`)
if (phone > PHONE_BYTES_MAX) process.exit(1)
