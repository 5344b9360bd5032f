import { ref, shallowRef } from 'vue'
import { backoffMilliseconds, pause } from '../api/backoff'
import { checkMany } from '../api/gate'
import { asApiError } from '../api/problem'
import { learnServerTime } from '../clock/server-clock'
import { operator } from '../console/operator'
import { connection, whenBack } from './connection'
import { device, deviceStore, noteChange, now, sessionOver } from './post'
import { sendNext, type RefusedScan } from './send-next'

const TALLY = 'tally'
// One is shown for each reason and time; more would not be read, and their number is kept.
const REFUSED_SHOWN_MAX = 50
// Two tabs of one device do not send the same scans at the same time.
const LOCK = 'tianfu-send'

/** What became of the scans that were sent since the guard last looked. */
export interface Tally {
  readonly sent: number
  readonly refused: number
  readonly reasons: readonly RefusedScan[]
}
const NONE: Tally = { sent: 0, refused: 0, reasons: [] }

export const tally = shallowRef<Tally>(NONE)
export const sending = ref(false)
/** What kept the last chunk from being taken, as a sentence; scans stay until it is gone. */
export const sendTrouble = ref('')

let running: AbortController | null = null
let wake: AbortController | null = null
// A scan kept while the loop is just finding nothing more must not wait for the next one.
let isWanted = false

/** The venue of the session; a scan is never sent for another one. Null while nobody is known to be signed in. */
function venueOfSession(): string | null {
  return sessionOver.value ? null : (operator.value?.venue?.venue_ref ?? null)
}

/** Sends what waits whenever there is a network and a session. Returns what ends that. */
export function followQueue(): () => void {
  running?.abort()
  running = new AbortController()
  const forget = whenBack(sendNow)
  void follow(running.signal)
  return () => {
    forget()
    running?.abort()
  }
}

export function sendNow(): void {
  isWanted = true
  wake?.abort()
}

export async function forgetTally(): Promise<void> {
  tally.value = NONE
  await (await deviceStore()).write({ [TALLY]: NONE }).catch(() => undefined)
}

async function follow(signal: AbortSignal): Promise<void> {
  const kept = (await (await deviceStore()).read(TALLY).catch(() => undefined)) as Tally | undefined
  if (kept) tally.value = kept
  let failures = 0
  while (!signal.aborted) {
    let asked: number | null = null
    isWanted = false
    if (connection.value === 'online' && venueOfSession()) {
      try {
        await withLock(() => sendAll(signal))
        failures = 0
        sendTrouble.value = ''
      } catch (error) {
        const problem = asApiError(error)
        failures += 1
        asked = problem.retryAfterSeconds
        if (problem.kind === 'signed_out') sessionOver.value = true
        else sendTrouble.value = problem.sentence
      } finally {
        sending.value = false
      }
    }
    if (isWanted && failures === 0) continue
    wake = new AbortController()
    const pausing = AbortSignal.any([signal, wake.signal])
    await (failures > 0 ? pause(backoffMilliseconds(failures, asked), pausing) : asleep(pausing))
  }
}

/** Until somebody wakes the loop. */
function asleep(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve()
    else signal.addEventListener('abort', () => resolve(), { once: true })
  })
}

async function withLock(work: () => Promise<void>): Promise<void> {
  if (!navigator.locks) return work()
  await navigator.locks.request(LOCK, work)
}

async function sendAll(signal: AbortSignal): Promise<void> {
  const { queue } = await device()
  while (!signal.aborted) {
    const venue = venueOfSession()
    if (!venue) return
    const asked = Date.now()
    const result = await sendNext(queue, venue, async (items) => {
      sending.value = true
      const answer = await checkMany(items)
      learnServerTime(answer.server_time, asked, Date.now())
      await (await device()).noteServerTime(answer.server_time, now())
      return answer.items
    })
    if (!result) return
    const reasons = [...tally.value.reasons, ...result.refused].slice(-REFUSED_SHOWN_MAX)
    const [sent, refused] = [tally.value.sent + result.sent, tally.value.refused + result.refused.length]
    tally.value = { sent, refused, reasons }
    await (await deviceStore()).write({ [TALLY]: tally.value }).catch(() => undefined)
    noteChange()
  }
}
