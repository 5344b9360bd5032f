import { ref } from 'vue'
import { backoffMilliseconds, pause } from '../api/backoff'
import { reachGate } from '../api/gate'

// Whoever stands at a gate waits three seconds and no longer; then the device answers by itself.
export const ONLINE_MILLISECONDS = 3000
const RETRY_MILLISECONDS_MAX = 30_000

/** Whether codes are checked at the gate or by this device alone. */
export const connection = ref<'online' | 'offline'>('online')

const listeners = new Set<() => void>()
let failures = 0
let asked = 0
let watching: AbortController | null = null
let wake: AbortController | null = null
// Whoever asks to look while a look is under way, which may have begun too early, gets another one at once.
let isWanted = false

/** `react` is called each time the gate is back. Returns what ends that. */
export function whenBack(react: () => void): () => void {
  listeners.add(react)
  return () => listeners.delete(react)
}

/** The gate has answered a check: the next trouble is a new one. */
export function noteAnswered(): void {
  failures = 0
}

/** From now on this device answers by itself, until the gate can be reached again. */
export function failOver(retryAfterSeconds: number | null = null): void {
  // A gate that answers its health and refuses checks is not asked ever faster: failures add up until a check succeeds.
  failures += 1
  asked = retryAfterSeconds ?? 0
  if (connection.value === 'offline') return
  connection.value = 'offline'
  isWanted = false
  watching = new AbortController()
  void seek(watching.signal)
}

/** Looks for the gate at once. */
export function seekNow(): void {
  isWanted = true
  wake?.abort()
}

async function seek(signal: AbortSignal): Promise<void> {
  while (!signal.aborted) {
    if (!isWanted) {
      wake = new AbortController()
      const wait = Math.min(RETRY_MILLISECONDS_MAX, backoffMilliseconds(failures)) + asked * 1000
      await pause(wait, AbortSignal.any([signal, wake.signal]))
    }
    isWanted = false
    try {
      await reachGate(ONLINE_MILLISECONDS)
    } catch {
      failures += 1
      asked = 0
      continue
    }
    connection.value = 'online'
    watching?.abort()
    for (const react of listeners) react()
  }
}

/** Follows what the browser says of the network: without one there is nothing to wait for. Returns what ends that. */
export function followNetwork(): () => void {
  const gone = (): void => failOver()
  window.addEventListener('offline', gone)
  window.addEventListener('online', seekNow)
  if (!navigator.onLine) failOver()
  return () => {
    window.removeEventListener('offline', gone)
    window.removeEventListener('online', seekNow)
  }
}
