// A build step: tells the service worker which files make the two apps. Each is listed with a hash of its content, and
// a hash of the list names the build, so that any change of any file is a new version and nothing else is.
import { createHash } from 'node:crypto'
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'

const WORKER = 'service-worker.js'
const PLACEHOLDER = '__TIANFU_SHELL__'

const hashOf = (bytes) => createHash('sha256').update(bytes).digest('hex')

/** Writes the list of everything built, and of everything in the public folder, into the worker. */
export function precache() {
  let publicFolder = ''
  return {
    name: 'tianfu-precache',
    enforce: 'post',
    apply: 'build',
    configResolved(config) {
      publicFolder = config.publicDir
    },
    generateBundle(_options, bundle) {
      const worker = bundle[WORKER]
      if (worker?.type !== 'chunk') throw new Error(`${WORKER} is not in the build`)
      if (worker.imports.length > 0) throw new Error(`${WORKER} shares a chunk with the apps: ${worker.imports.join(' ')}`)
      const built = Object.values(bundle)
        .filter((part) => part !== worker)
        .map((part) => [`/${part.fileName}`, hashOf(part.type === 'chunk' ? part.code : part.source)])
      const kept = readdirSync(publicFolder)
        // Taken once, by the browser, when the app is put on a home screen.
        .filter((name) => !name.startsWith('icon-'))
        .map((name) => [`/${name}`, hashOf(readFileSync(join(publicFolder, name)))])
      const files = Object.fromEntries([...built, ...kept].sort())
      const version = hashOf(JSON.stringify(files)).slice(0, 16)
      if (!worker.code.includes(PLACEHOLDER)) throw new Error(`${WORKER} does not ask for its list`)
      worker.code = worker.code.replace(PLACEHOLDER, () => JSON.stringify({ version, files }))
    },
  }
}
