import { onBeforeUnmount, ref, shallowRef, type Ref, type ShallowRef } from 'vue'
import { ask, type Outcome } from '../guard/ask'
import { wordsOf } from '../guard/words'
import { buzz, say } from './voice'

// How long a result stays before the camera looks again.
const RESULT_MILLISECONDS = 2000
// A code the camera goes on seeing is one visitor holding still and is not checked again. Away for longer than this
// (the time a result stays, and as much again for a shaky hand) it is somebody showing it a second time.
const AWAY_MILLISECONDS = 4000

/**
 * The guard's loop: `take` a text the camera saw, show what may be said of it for two seconds, then look again. A
 * verdict comes from the gate, or from this device where the gate cannot be asked; what cannot be checked shows no
 * colour.
 */
export function useChecks(): {
  outcome: ShallowRef<Outcome | null>
  busy: Ref<boolean>
  paused: () => boolean
  take: (text: string) => Promise<void>
  typed: (text: string) => Promise<void>
  next: () => void
} {
  const outcome = shallowRef<Outcome | null>(null)
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
    const foreignBefore = outcome.value?.from === 'foreign'
    outcome.value = null
    busy.value = true
    try {
      const found = await ask(text)
      outcome.value = found
      const { tone, spoken } = wordsOf(found)
      // Said once, not for as long as some other code lies before the camera.
      if (found.from !== 'foreign' || !foreignBefore) {
        say(spoken)
        buzz(tone === 'pass' ? 'good' : 'warning')
      }
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
  return { outcome, busy, paused: () => busy.value || holding.value, take, typed: check, next }
}
