import { onScopeDispose, ref, type Ref } from 'vue'

// Corrections below this are within what a whole-second server time and the network can show; the phone's own clock
// is then steadier than the correction.
const CORRECTION_MIN_MILLISECONDS = 1500

let correction = 0

/**
 * How far the server is ahead of this phone, in milliseconds. `serverSeconds` is a whole second, so half a second is
 * added for what it cut off; `sent` and `received` are this phone's clock around the request.
 */
export function correctionFor(serverSeconds: number, sent: number, received: number): number {
  const ahead = serverSeconds * 1000 + 500 - (sent + received) / 2
  return Math.abs(ahead) < CORRECTION_MIN_MILLISECONDS ? 0 : ahead
}

let tellLearned: () => void = () => undefined

/** `react` is called whenever the server has told the time. */
export function whenTimeLearned(react: () => void): void {
  tellLearned = react
}

export function learnServerTime(serverSeconds: number, sent: number, received: number): void {
  correction = correctionFor(serverSeconds, sent, received)
  tellLearned()
}

/** How far the server was ahead of this phone when it was last heard, in milliseconds. */
export function knownCorrection(): number {
  return correction
}

/** Takes over what was known before the page was loaded; what the server says later replaces it. */
export function adoptCorrection(milliseconds: number): void {
  correction = milliseconds
}

/** The server's time as far as this phone knows it, in milliseconds since 1970. */
export function serverNow(): number {
  return Date.now() + correction
}

/** The server's time, updated at each full second while the component lives. */
export function useTicking(): Ref<number> {
  const now = ref(serverNow())
  let timer = 0
  const tick = (): void => {
    now.value = serverNow()
    timer = window.setTimeout(tick, 1000 - (now.value % 1000) + 5)
  }
  tick()
  onScopeDispose(() => window.clearTimeout(timer))
  return now
}
