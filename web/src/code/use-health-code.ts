import { onBeforeUnmount, onMounted, shallowRef, type Ref, type ShallowRef } from 'vue'
import { awaitChange, fetchCode, type CodeAnswer } from '../api/gate'
import { asApiError, type ApiError } from '../api/problem'
import { serverNow } from '../clock/server-clock'
import { backoffMilliseconds, pause } from './pace'

// Without the change feed the code still renews itself each minute, which is then how late a change is seen.
const WITHOUT_FEED_MILLISECONDS = 60_000
// A feed that answers without waiting must not turn into a busy loop.
const FEED_PAUSE_MILLISECONDS = 100

// The last answer outlives the page, so that going to another page and back shows something at once, also offline.
const last = shallowRef<CodeAnswer | null>(null)

/** Forgets the code shown last; for signing out. */
export function forgetCode(): void {
  last.value = null
}

/**
 * The person's code while the component lives: renewed before it expires, and at once when the record changes. Works
 * only while the page is visible. `failure` is the latest failure until the next success; the last answer stays, and
 * whoever shows it must look at its `expires_at`. Without a session it stops.
 */
export function useHealthCode(): {
  answer: ShallowRef<CodeAnswer | null>
  failure: Ref<ApiError | null>
  refresh: () => void
} {
  const failure = shallowRef<ApiError | null>(null)
  let running: AbortController | null = null
  let wake: AbortController | null = null

  async function renew(): Promise<boolean> {
    try {
      last.value = await fetchCode()
      failure.value = null
      return true
    } catch (error) {
      failure.value = asApiError(error)
      if (failure.value.kind === 'signed_out') running?.abort()
      return false
    }
  }

  /** Renews the code at its time; after a failure again and again, ever slower. */
  async function keepFresh(signal: AbortSignal): Promise<void> {
    let failures = 0
    while (!signal.aborted) {
      failures = (await renew()) ? 0 : failures + 1
      const asked = (failure.value?.retryAfterSeconds ?? 0) * 1000
      const due = last.value ? last.value.refresh_at * 1000 - serverNow() : 0
      wake = new AbortController()
      const wait = failures > 0 ? Math.max(asked, backoffMilliseconds(failures)) : Math.max(1000, due)
      await pause(wait, AbortSignal.any([signal, wake.signal]))
    }
  }

  /** Waits at the change feed and wakes `keepFresh` when the record has changed. */
  async function followChanges(signal: AbortSignal): Promise<void> {
    let failures = 0
    while (!signal.aborted) {
      const known = last.value
      if (!known || failure.value) {
        await pause(500, signal)
        continue
      }
      try {
        const news = await awaitChange(known.sequence, signal)
        failures = 0
        if (news.changed) wake?.abort()
        await pause(news.changed ? 5 * FEED_PAUSE_MILLISECONDS : FEED_PAUSE_MILLISECONDS, signal)
      } catch (error) {
        if (signal.aborted) return
        failures += 1
        const busy = asApiError(error).kind === 'busy'
        await pause(busy ? WITHOUT_FEED_MILLISECONDS : backoffMilliseconds(failures), signal)
      }
    }
  }

  function start(): void {
    running?.abort()
    running = new AbortController()
    void keepFresh(running.signal)
    void followChanges(running.signal)
  }

  function followVisibility(): void {
    if (document.hidden) running?.abort()
    else start()
  }

  const refresh = (): void => wake?.abort()

  onMounted(() => {
    document.addEventListener('visibilitychange', followVisibility)
    window.addEventListener('online', refresh)
    // Asking at once is what shows that the network is gone, and with it the age of the code.
    window.addEventListener('offline', refresh)
    start()
  })
  onBeforeUnmount(() => {
    document.removeEventListener('visibilitychange', followVisibility)
    window.removeEventListener('online', refresh)
    window.removeEventListener('offline', refresh)
    running?.abort()
  })
  return { answer: last, failure, refresh }
}
