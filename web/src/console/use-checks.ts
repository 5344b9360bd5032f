import { onBeforeUnmount, ref, shallowRef, type Ref, type ShallowRef } from 'vue'
import { checkCode, type CheckAnswer } from '../api/gate'
import { asApiError, type ApiError } from '../api/problem'
import { bandOf } from '../code/test-band'
import { desk } from './messages'
import { noteSignedOut } from './operator'
import { say } from './voice'

export const CODE_PREFIX = 'HK1:'
// Signed codes have about 190 characters; more is not ours.
const CODE_CHARACTERS_MAX = 400
// How long a result stays before the camera looks again.
const RESULT_MILLISECONDS = 2000
// A code the camera goes on seeing is one visitor holding still and is not checked again. Away for longer than this
// (the time a result stays, and as much again for a shaky hand) it is somebody showing it a second time.
const AWAY_MILLISECONDS = 4000

function spoken(answer: CheckAnswer): string {
  const words = desk.value.check.spoken
  if (answer.verdict === 'already_used') return words.used
  const band = answer.test?.result === 'negative' ? bandOf(answer.test.hours) : null
  return band === null ? words[answer.colour] : words.withTest(words[answer.colour], band)
}

/**
 * The guard's loop: `take` a text the camera saw, show what the gate says of it for two seconds, then look again. A
 * verdict only ever comes from the gate; what cannot be checked shows no colour.
 */
export function useChecks(): {
  result: ShallowRef<CheckAnswer | null>
  failure: ShallowRef<ApiError | null>
  foreign: Ref<boolean>
  busy: Ref<boolean>
  paused: () => boolean
  take: (text: string) => Promise<void>
  typed: (text: string) => Promise<void>
  next: () => void
} {
  const result = shallowRef<CheckAnswer | null>(null)
  const failure = shallowRef<ApiError | null>(null)
  const foreign = ref(false)
  const busy = ref(false)
  const holding = ref(false)
  let lastText = ''
  let lastSeenAt = 0
  let timer = 0

  function next(): void {
    window.clearTimeout(timer)
    holding.value = false
  }

  function hold(): void {
    holding.value = true
    timer = window.setTimeout(next, RESULT_MILLISECONDS)
  }

  async function check(text: string): Promise<void> {
    next()
    result.value = null
    failure.value = null
    const foreignBefore = foreign.value
    foreign.value = !text.startsWith(CODE_PREFIX) || text.length > CODE_CHARACTERS_MAX
    if (foreign.value) {
      // Said once, not for as long as some other code lies before the camera.
      if (!foreignBefore) say(desk.value.check.spoken.foreign)
      hold()
      return
    }
    busy.value = true
    try {
      result.value = await checkCode(text)
      say(spoken(result.value))
    } catch (error) {
      failure.value = asApiError(error)
      noteSignedOut(failure.value)
      say(failure.value.kind === 'refused' ? desk.value.check.spoken.invalid : desk.value.check.spoken.failed)
    } finally {
      busy.value = false
      lastText = text
      lastSeenAt = Date.now()
      hold()
    }
  }

  async function take(text: string): Promise<void> {
    const stayed = text === lastText && Date.now() - lastSeenAt < AWAY_MILLISECONDS
    lastSeenAt = Date.now()
    if (stayed) return
    await check(text)
  }

  onBeforeUnmount(() => window.clearTimeout(timer))
  return { result, failure, foreign, busy, paused: () => busy.value || holding.value, take, typed: check, next }
}
