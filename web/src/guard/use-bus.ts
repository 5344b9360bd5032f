import { computed, onBeforeUnmount, ref, shallowRef, type ComputedRef, type Ref, type ShallowRef } from 'vue'
import { checkMany, type BatchAnswer, type BatchItem } from '../api/gate'
import { ApiError, asApiError } from '../api/problem'
import { serverNow } from '../clock/server-clock'
import { unverified } from '../offline/codes'
import { newNonce } from '../venue/poster'
import { buzz, say } from '../console/voice'
import { isAnswer, isAway, judgeHere, type Outcome } from './ask'
import { connection, failOver, noteAnswered } from './connection'
import { duty } from './messages'
import { device, now, sessionOver } from './post'
import { wordsOf, type Tone } from './words'

// A coach carries 60, a city bus at its fullest about 100: what the gate takes in one request.
export const BUS_MAX = 100
// A dynamic code lives for 90 s. Codes are sent by themselves before the first one collected is half a minute old, so
// that they are still checked as of now.
const SEND_AFTER_MILLISECONDS = 30_000
const LIVE_MILLISECONDS = 60_000
const BODY_CHARACTERS_MAX = 60_000
const BATCH_MILLISECONDS = 6_000
const TICK_MILLISECONDS = 1_000
// A code the camera goes on seeing is one passenger holding still; later it is somebody showing it again.
const AWAY_MILLISECONDS = 4_000

/** One passenger's code, and what is known of it. */
export interface Passenger {
  readonly id: string
  readonly place: number
  readonly code: string
  readonly scannedAt: number
  readonly outcome: Outcome | null
}

function outcomeOf(answer: BatchAnswer | undefined): Outcome | null {
  if (!answer) return null
  if (answer.ok) return isAnswer(answer) ? { from: 'gate', answer } : null
  if (answer.code === 'foreign_unavailable') return { from: 'unasked' }
  return { from: 'refused', problem: new ApiError('refused', answer.detail, { code: answer.code }) }
}

/** Collects codes quickly and has them checked together; without network this device judges each at once. */
export function useBus(): {
  passengers: ShallowRef<readonly Passenger[]>
  counts: ComputedRef<Record<Tone | 'waiting', number>>
  note: Ref<'double' | 'full' | null>
  busy: Ref<boolean>
  take: (text: string) => Promise<void>
  send: () => Promise<void>
  clear: () => void
} {
  const passengers = shallowRef<readonly Passenger[]>([])
  const note = ref<'double' | 'full' | null>(null)
  const busy = ref(false)
  const numbers = new Set<string>()
  let last = { name: '', seenAt: 0 }
  const timer = window.setInterval(() => {
    const oldest = passengers.value.find((one) => !one.outcome)
    if (oldest && serverNow() - oldest.scannedAt > SEND_AFTER_MILLISECONDS) void send()
  }, TICK_MILLISECONDS)

  const counts = computed(() => {
    const found = { pass: 0, look: 0, unknown: 0, waiting: 0 }
    for (const { outcome } of passengers.value) found[outcome ? wordsOf(outcome).tone : 'waiting'] += 1
    return found
  })

  function settle(id: string, outcome: Outcome): void {
    passengers.value = passengers.value.map((one) => (one.id === id ? { ...one, outcome } : one))
  }

  async function take(text: string): Promise<void> {
    const name = (await unverified(text))?.number ?? text
    const isStillHeld = name === last.name && serverNow() - last.seenAt < AWAY_MILLISECONDS
    last = { name, seenAt: serverNow() }
    if (numbers.has(name)) {
      if (!isStillHeld) note.value = 'double'
      return
    }
    note.value = passengers.value.length < BUS_MAX ? null : 'full'
    if (note.value) return
    numbers.add(name)
    const one = { id: newNonce(), place: passengers.value.length + 1, code: text, scannedAt: serverNow(), outcome: null }
    passengers.value = [...passengers.value, one]
    buzz('seen')
    if (connection.value === 'offline' || sessionOver.value) settle(one.id, await judgeHere(text))
  }

  /** At most as many as one request carries; the rest follows in the next. */
  function chunk(): readonly Passenger[] {
    let characters = 0
    return passengers.value.filter((one) => {
      if (one.outcome) return false
      characters += one.code.length + 100
      return characters <= BODY_CHARACTERS_MAX
    })
  }

  async function sendChunk(waiting: readonly Passenger[]): Promise<void> {
    const at = serverNow()
    const items = waiting.map(({ id, code, scannedAt }): BatchItem => {
      const isLive = at - scannedAt < LIVE_MILLISECONDS
      return isLive ? { id, code } : { id, code, scanned_at: Math.floor(scannedAt) }
    })
    try {
      const { items: answers } = await checkMany(items, BATCH_MILLISECONDS)
      noteAnswered()
      const found = new Map(answers.map((answer) => [answer.id, answer]))
      for (const { id, code, scannedAt } of waiting) {
        const outcome = outcomeOf(found.get(id))
        settle(id, outcome ?? (await judgeHere(code, scannedAt / 1000)))
        if (outcome?.from === 'gate') await (await device()).noteChecked(code, now())
      }
    } catch (error) {
      const problem = asApiError(error)
      if (problem.kind === 'signed_out') sessionOver.value = true
      else if (isAway(problem)) failOver(problem.retryAfterSeconds)
      for (const { id, code, scannedAt } of waiting) settle(id, await judgeHere(code, scannedAt / 1000))
    }
  }

  async function send(): Promise<void> {
    if (busy.value || counts.value.waiting === 0) return
    busy.value = true
    try {
      for (let waiting = chunk(); waiting.length > 0; waiting = chunk()) await sendChunk(waiting)
      const words = duty.value.bus.counts
      const { look, unknown, pass } = counts.value
      buzz(look + unknown > 0 ? 'warning' : 'good')
      say([look && `${words.look} ${look}`, unknown && `${words.unknown} ${unknown}`, `${words.pass} ${pass}`]
        .filter(Boolean)
        .join(', '))
    } finally {
      busy.value = false
    }
  }

  function clear(): void {
    passengers.value = []
    numbers.clear()
    note.value = null
  }

  onBeforeUnmount(() => window.clearInterval(timer))
  return { passengers, counts, note, busy, take, send, clear }
}
