import { readonly, ref, shallowRef, type Ref, type ShallowRef } from 'vue'
import { backoffMilliseconds, pause, spread } from '../api/backoff'
import { scanVenue } from '../api/gate'
import { patienceLeft } from '../api/patience'
import { asApiError, type ApiError } from '../api/problem'
import { VISITS } from '../credentials/holdings'
import { keep, unseal } from '../credentials/vault'
import { isFinal, waiting, withoutVisit, withRefusal, withVisit, type KeptVisit } from './visit-queue'

// A gate that has just come back is not to be met by everyone's visits at once.
const SEND_SPREAD_MILLISECONDS = 3000
// A blocked or signed-out holder's visits are tried again this often.
const HELD_MILLISECONDS = 300_000

const visits = shallowRef<readonly KeptVisit[]>([])
const sentCount = ref(0)
const lostCount = ref(0)
let wake = new AbortController()

/** What is kept, oldest first, refused ones too. */
export const keptVisits: Readonly<ShallowRef<readonly KeptVisit[]>> = visits

/** How many kept visits were sent since the page was loaded. */
export const visitsSent: Readonly<Ref<number>> = readonly(sentCount)

/** How many visits of somebody else went when the holder of this phone changed. */
export const visitsLost: Readonly<Ref<number>> = readonly(lostCount)

export function noteLost(count: number): void {
  lostCount.value = count
}

/** One change of what is kept, alone among all tabs, durable when it resolves. Rejects without storage. */
async function change(edit: (kept: readonly KeptVisit[]) => readonly KeptVisit[] | null): Promise<boolean> {
  const alone = async (): Promise<boolean> => {
    const kept = (await unseal<readonly KeptVisit[]>(VISITS)) ?? []
    const edited = edit(kept)
    if (edited && edited !== kept) await keep(VISITS, edited)
    visits.value = edited ?? kept
    return edited !== null
  }
  return 'locks' in navigator ? navigator.locks.request('tianfu-visits', alone) : alone()
}

/** Reads what is kept. Never rejects: without storage there is nothing. */
export async function loadVisits(): Promise<void> {
  await change((kept) => kept).catch((error: unknown) => console.warn(error))
}

/** Keeps `visit`. `full` when there is no room, `refused` when this browser keeps nothing; neither recorded it. */
export async function keepVisit(visit: KeptVisit): Promise<'kept' | 'full' | 'refused'> {
  try {
    if (!(await change((kept) => withVisit(kept, visit)))) return 'full'
  } catch (error) {
    console.warn(error)
    return 'refused'
  }
  // Visits must not go when the phone runs short of space; asked for once there is one.
  void navigator.storage?.persist?.().catch(() => false)
  wake.abort()
  return 'kept'
}

/** Forgets a visit that was refused, after its holder has read why. */
export async function dismissVisit(nonce: string): Promise<void> {
  await change((kept) => withoutVisit(kept, nonce)).catch((error: unknown) => console.warn(error))
}

/** Forgets the list in this page; what is kept goes with the rest of the vault. */
export function forgetVisits(): void {
  visits.value = []
  sentCount.value = 0
}

async function send(visit: KeptVisit): Promise<void> {
  try {
    await scanVenue(visit.poster, visit.nonce, visit.scannedAt)
  } catch (error) {
    const failure = asApiError(error)
    if (!isFinal(failure)) throw failure
    await change((kept) => withRefusal(kept, visit.nonce, failure.sentence))
    return
  }
  await change((kept) => withoutVisit(kept, visit.nonce))
  sentCount.value += 1
}

function waitAfter(failure: ApiError, failures: number): number {
  const isHeld = failure.kind === 'refused' || failure.kind === 'signed_out'
  return isHeld ? spread(HELD_MILLISECONDS, HELD_MILLISECONDS / 2) : backoffMilliseconds(failures, failure.retryAfterSeconds)
}

/**
 * Sends what is kept, oldest first, one at a time, until `signal`: at once, when the network comes back, and after a
 * failure ever slower. A visit sent whose answer was lost is sent again and is the same visit.
 */
export async function sendVisits(signal: AbortSignal): Promise<void> {
  const retry = (): void => wake.abort()
  window.addEventListener('online', retry, { signal })
  await loadVisits()
  let failures = 0
  while (!signal.aborted) {
    wake = new AbortController()
    const rested = AbortSignal.any([signal, wake.signal])
    const [next] = waiting(visits.value)
    if (!next) {
      failures = 0
      await pause(HELD_MILLISECONDS, rested)
      if (waiting(visits.value).length > 0) await pause(Math.random() * SEND_SPREAD_MILLISECONDS, signal)
      continue
    }
    // A gate that has just said how long to leave it alone is left alone.
    await pause(patienceLeft(Date.now()), signal)
    if (signal.aborted) return
    try {
      await send(next)
      failures = 0
    } catch (error) {
      failures += 1
      await pause(waitAfter(asApiError(error), failures), rested)
      if (wake.signal.aborted) await pause(Math.random() * SEND_SPREAD_MILLISECONDS, signal)
    }
  }
}

/** Sends now what can be sent, once; how many are still waiting then. For a holder who is about to leave. */
export async function sendNow(): Promise<number> {
  // A page that has just been loaded may not have looked yet.
  await loadVisits()
  try {
    for (const visit of waiting(visits.value)) await send(visit)
  } catch {
    // The network, or the gate, is still away.
  }
  return waiting(visits.value).length
}
