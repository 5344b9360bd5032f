// The service worker: keeps the files of both apps so that they open without network and a reload costs the origin
// nothing. It holds what was built and nothing else, in one cache for each build. A new build is fetched in the
// background and answers from the next page load on; pages already open go on with the build they came from.
import { cacheName, isReader, outdated, shellFile, type Shell } from './shell'

declare const __TIANFU_SHELL__: Shell

interface LifeEvent extends Event {
  waitUntil(work: Promise<unknown>): void
}
interface AskedEvent extends LifeEvent {
  readonly request: Request
  respondWith(answer: Promise<Response>): void
}
interface Worker {
  readonly clients: { claim(): Promise<void> }
  skipWaiting(): Promise<void>
  addEventListener(type: 'install' | 'activate', react: (event: LifeEvent) => void): void
  addEventListener(type: 'fetch', react: (event: AskedEvent) => void): void
}

const worker = globalThis as unknown as Worker
const shell = __TIANFU_SHELL__
const current = cacheName(shell.version)

async function hashOf(answer: Response): Promise<string> {
  const hash = await crypto.subtle.digest('SHA-256', await answer.arrayBuffer())
  return Array.from(new Uint8Array(hash), (byte) => byte.toString(16).padStart(2, '0')).join('')
}

/** Fetches `file` and keeps it. Rejects when it is not the one this build was made with, as while builds change. */
async function keep(cache: Cache, file: string, expected: string): Promise<void> {
  // Names with a hash are the same bytes for ever, wherever they are found; pages are asked for again.
  const named = file.startsWith('/assets/')
  const answer = (named ? await caches.match(file) : undefined) ?? (await fetch(file, { cache: named ? 'default' : 'no-cache' }))
  if (!answer.ok || (await hashOf(answer.clone())) !== expected) throw new Error(`not of this build: ${file}`)
  await cache.put(file, answer)
}

async function readsCodesItself(): Promise<boolean> {
  const detector = (globalThis as { BarcodeDetector?: { getSupportedFormats(): Promise<string[]> } }).BarcodeDetector
  const formats = await detector?.getSupportedFormats().catch((): string[] => [])
  return formats?.includes('qr_code') ?? false
}

async function install(): Promise<void> {
  const withoutReader = await readsCodesItself()
  const wanted = Object.entries(shell.files).filter(([file]) => !(withoutReader && isReader(file)))
  const cache = await caches.open(current)
  await Promise.all(wanted.map(([file, expected]) => keep(cache, file, expected)))
  await worker.skipWaiting()
}

async function activate(): Promise<void> {
  await Promise.all(outdated(await caches.keys(), current).map((name) => caches.delete(name)))
  await worker.clients.claim()
}

async function answer(request: Request, file: string): Promise<Response> {
  const kept = (await (await caches.open(current)).match(file)) ?? (await caches.match(file))
  return kept ?? fetch(request)
}

worker.addEventListener('install', (event) => event.waitUntil(install()))
worker.addEventListener('activate', (event) => event.waitUntil(activate()))
worker.addEventListener('fetch', (event) => {
  const { method, url, mode } = event.request
  const address = new URL(url)
  if (address.origin !== location.origin) return
  const file = shellFile({ method, path: address.pathname, isNavigation: mode === 'navigate' }, shell)
  if (file !== null) event.respondWith(answer(event.request, file))
})
