// A build step: tells the service worker which files make the two apps. Each is listed with a hash of its content, and
// a hash of the list names the build, so that any change of any file is a new version and nothing else is. Runs when
// everything is written, because Vite goes on editing parts until then.
import { createHash } from 'node:crypto'
import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join, relative, sep } from 'node:path'

const WORKER = 'service-worker.js'
const PLACEHOLDER = '__TIANFU_SHELL__'
// Taken once, by the browser, when the app is put on a home screen.
const NOT_KEPT = /^\/(icon-.*|apple-touch-icon)\.png$/

const hashOf = (bytes) => createHash('sha256').update(bytes).digest('hex')

/** Writes the list of everything in the output folder into the worker. */
export function precache() {
  return {
    name: 'tianfu-precache',
    apply: 'build',
    writeBundle: {
      order: 'post',
      sequential: true,
      handler(options, bundle) {
        const worker = bundle[WORKER]
        if (worker?.type !== 'chunk') throw new Error(`${WORKER} is not in the build`)
        if (worker.imports.length > 0) throw new Error(`${WORKER} shares a part with the apps: ${worker.imports.join(' ')}`)
        const files = readdirSync(options.dir, { recursive: true, withFileTypes: true })
          .filter((entry) => entry.isFile())
          .map((entry) => join(entry.parentPath ?? entry.path, entry.name))
          .map((file) => [`/${relative(options.dir, file).split(sep).join('/')}`, file])
          .filter(([address]) => address !== `/${WORKER}` && !NOT_KEPT.test(address))
          .map(([address, file]) => [address, hashOf(readFileSync(file))])
          .sort(([one], [other]) => (one < other ? -1 : 1))
        const version = hashOf(JSON.stringify(files)).slice(0, 16)
        const written = join(options.dir, WORKER)
        const code = readFileSync(written, 'utf8')
        if (!code.includes(PLACEHOLDER)) throw new Error(`${WORKER} does not ask for its list`)
        const shell = JSON.stringify({ version, files: Object.fromEntries(files) })
        writeFileSync(written, code.replace(PLACEHOLDER, () => shell))
      },
    },
  }
}
