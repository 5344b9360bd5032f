/** The files of one build: content hashes (SHA-256, hex) by address, and a version that changes when any of them does. */
export interface Shell {
  readonly version: string
  readonly files: Readonly<Record<string, string>>
}

const CACHE_PREFIX = 'tianfu-shell-'
// The build before stays for pages that are still open: their later parts may have other names in the new one.
const BUILDS_KEPT = 2

export function cacheName(version: string): string {
  return CACHE_PREFIX + version
}

/** The caches to delete, of all in the order of their making, once `current` is in use. Never touches others' caches. */
export function outdated(names: readonly string[], current: string): string[] {
  const before = names.filter((name) => name.startsWith(CACHE_PREFIX) && name !== current)
  return before.slice(0, Math.max(0, before.length - (BUILDS_KEPT - 1)))
}

/** The page that routes `path`, as the origin would choose it; null for an address that names a file. */
export function pageFor(path: string): '/index.html' | '/console.html' | null {
  if (path.slice(path.lastIndexOf('/')).includes('.')) return null
  return path === '/console' || path.startsWith('/console/') ? '/console.html' : '/index.html'
}

// Answers of these are about somebody and about now: no cache may hold or give one.
const LIVE = ['/api/', '/gate/', '/feeds/'] as const

export interface Asked {
  readonly method: string
  readonly path: string
  /** Whether a person goes to this address, rather than a page asking for it. */
  readonly isNavigation: boolean
}

/** Which file of `shell` answers what was asked; null when the network must. */
export function shellFile(asked: Asked, shell: Shell): string | null {
  if (asked.method !== 'GET' || LIVE.some((prefix) => asked.path.startsWith(prefix))) return null
  if (Object.hasOwn(shell.files, asked.path)) return asked.path
  // Also a part of the build before, which only its own cache still holds.
  if (asked.path.startsWith('/assets/')) return asked.path
  return asked.isNavigation ? pageFor(asked.path) : null
}

/** Whether `file` is only needed where the browser cannot read QR codes by itself; it is a third of the whole. */
export function isReader(file: string): boolean {
  return file.endsWith('.wasm')
}
