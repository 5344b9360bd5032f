import { ref } from 'vue'
import { forgetCode } from '../code/use-health-code'
import { forget, recall, remember } from '../language/memory'
import { forgetDevice } from '../credentials/device'
import { forgetSession } from '../credentials/holdings'

const KEY = 'tianfu.holder'

/**
 * Whether this browser believes it holds a session. The session itself is a cookie no script can read; the gate has the
 * last word, and a refusal there comes back here through `holderLeft`.
 */
export const holding = ref(recall(KEY) === 'yes')

export function holderArrived(): void {
  holding.value = true
  remember(KEY, 'yes')
}

/** The session is over: codes and the device's key go, from this page at once and from the browser soon. */
export function holderLeft(): void {
  holding.value = false
  forget(KEY)
  forgetCode()
  forgetDevice()
  void forgetSession()
}

const POSTER_KEY = 'tianfu.poster'

/** Keeps a scanned poster while its reader claims a code or signs in; for this tab only. */
export function keepPoster(text: string): void {
  try {
    sessionStorage.setItem(POSTER_KEY, text)
  } catch {
    // The poster must then be scanned again.
  }
}

/** The kept poster, once. */
export function takePoster(): string | null {
  try {
    const text = sessionStorage.getItem(POSTER_KEY)
    sessionStorage.removeItem(POSTER_KEY)
    return text
  } catch {
    return null
  }
}
