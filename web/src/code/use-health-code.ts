import { onBeforeUnmount, onMounted, readonly, ref, shallowRef, type Ref, type ShallowRef } from 'vue'
import { backoffMilliseconds, pause, spread } from '../api/backoff'
import { awaitChange, fetchCode, type CodeAnswer } from '../api/gate'
import { noteDegraded } from '../api/heavy-use'
import { bePatient, endPatience, patienceLeft } from '../api/patience'
import { ApiError, asApiError, type FailureKind } from '../api/problem'
import { clockSetBack } from '../clock/phone-clock'
import { serverNow } from '../clock/server-clock'
import { shared } from '../messages'
import { keepCode, keptCode } from '../credentials/holdings'

// Without the change feed the code still renews itself each minute, which is then how late a change is seen.
const WITHOUT_FEED_MILLISECONDS = 60_000
// A feed that answers without waiting must not turn into a busy loop.
const FEED_PAUSE_MILLISECONDS = 100
// Codes live 90 s and are renewed after 60: ten seconds either way leave twenty for a renewal that fails.
const RENEWAL_SPREAD_MILLISECONDS = 10_000
// A change of the rules wakes every phone, and a mast that is back every phone below it.
const WOKEN_SPREAD_MILLISECONDS = 500
const ONLINE_SPREAD_MILLISECONDS = 2000

// Signs of a gate that has too much to do, which loading the page again must not add to.
const OVERLOADED: ReadonlySet<FailureKind> = new Set(['busy', 'timeout', 'broken'])

// The last answer outlives the page, so that going to another page and back, or loading it again, shows something at
// once, also offline.
const last = shallowRef<CodeAnswer | null>(null)
// When the next renewal is due: the gate's time for it, spread.
const renewsAt = ref(0)
let epoch = 0
let restored: Promise<void> | null = null

/** Forgets the code shown last; for signing out. What is kept of it goes with the rest of the vault. */
export function forgetCode(): void {
  epoch += 1
  last.value = null
  noteDegraded([])
}

function accept(answer: CodeAnswer): void {
  last.value = answer
  noteDegraded(answer.degraded)
  renewsAt.value = spread(answer.refresh_at * 1000, RENEWAL_SPREAD_MILLISECONDS)
}

/** Once in a page's life: the answer that this browser kept, unless there is a newer one by then. */
function restore(): Promise<void> {
  restored ??= (async () => {
    const begun = epoch
    const kept = await keptCode()
    if (kept && !last.value && begun === epoch) accept(kept)
  })()
  return restored
}

/**
 * How long to wait before asking first. While the code is fresh there is nothing to ask for, however often the page is
 * opened or loaded again: the change feed says when the record changes.
 */
function firstWait(): number {
  const due = renewsAt.value - serverNow()
  const isFresh = last.value !== null && due > 0 && !clockSetBack.value && navigator.onLine
  return Math.max(isFresh ? due : 0, patienceLeft(Date.now()))
}

/**
 * The person's code while the component lives: renewed before it expires, and at once when the record changes. Works
 * only while the page is visible. `failure` is the latest failure until the next success; the last answer stays, and
 * whoever shows it must look at its `expires_at`. Without a session it stops.
 */
export function useHealthCode(): {
  answer: ShallowRef<CodeAnswer | null>
  failure: Ref<ApiError | null>
  renewsAt: Readonly<Ref<number>>
  refresh: () => void
} {
  const failure = shallowRef<ApiError | null>(null)
  let running: AbortController | null = null
  let wake: AbortController | null = null
  // Whoever asks by hand, say because a guard's scanner knows the code already, gets another one; others may be given
  // the code of a moment ago, which costs a busy gate nothing.
  let freshWanted = false

  async function renew(): Promise<boolean> {
    const begun = epoch
    try {
      const wanted = freshWanted
      freshWanted = false
      const answer = await fetchCode(wanted)
      if (begun !== epoch) return true
      accept(answer)
      failure.value = null
      endPatience()
      void keepCode(answer, () => begun === epoch)
      return true
    } catch (error) {
      failure.value = asApiError(error)
      if (failure.value.kind === 'signed_out') running?.abort()
      return false
    }
  }

  /** Waits `milliseconds` or until somebody asks for a code now. */
  async function rest(milliseconds: number, signal: AbortSignal): Promise<void> {
    wake = new AbortController()
    await pause(milliseconds, AbortSignal.any([signal, wake.signal]))
  }

  /** Renews the code at its time; after a failure again and again, ever slower. */
  async function keepFresh(signal: AbortSignal): Promise<void> {
    await restore()
    const first = firstWait()
    if (first > 0) {
      if (patienceLeft(Date.now()) > 0) failure.value = new ApiError('busy', shared.value.failures.busy)
      await rest(first, signal)
    }
    let failures = 0
    while (!signal.aborted) {
      failures = (await renew()) ? 0 : failures + 1
      if (failures === 0) {
        await rest(Math.max(1000, renewsAt.value - serverNow()), signal)
        continue
      }
      const wait = backoffMilliseconds(failures, failure.value?.retryAfterSeconds ?? null)
      if (failure.value && OVERLOADED.has(failure.value.kind)) bePatient(wait, Date.now())
      await rest(wait, signal)
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
        if (news.changed) {
          await pause(Math.random() * WOKEN_SPREAD_MILLISECONDS, signal)
          wake?.abort()
        }
        await pause(news.changed ? 5 * FEED_PAUSE_MILLISECONDS : FEED_PAUSE_MILLISECONDS, signal)
      } catch (error) {
        if (signal.aborted) return
        failures += 1
        const { kind, retryAfterSeconds } = asApiError(error)
        const least = kind === 'busy' ? spread(WITHOUT_FEED_MILLISECONDS, WITHOUT_FEED_MILLISECONDS / 2) : 0
        await pause(Math.max(least, backoffMilliseconds(failures, retryAfterSeconds)), signal)
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

  const look = (): void => wake?.abort()
  const refresh = (): void => {
    freshWanted = true
    look()
  }
  const comeOnline = (): void => {
    setTimeout(look, Math.random() * ONLINE_SPREAD_MILLISECONDS)
  }

  onMounted(() => {
    document.addEventListener('visibilitychange', followVisibility)
    window.addEventListener('online', comeOnline)
    // Asking at once is what shows that the network is gone, and with it the age of the code.
    window.addEventListener('offline', look)
    start()
  })
  onBeforeUnmount(() => {
    document.removeEventListener('visibilitychange', followVisibility)
    window.removeEventListener('online', comeOnline)
    window.removeEventListener('offline', look)
    running?.abort()
  })
  return { answer: last, failure, renewsAt: readonly(renewsAt), refresh }
}
