import { watch } from 'vue'
import { keepCertified } from '../credentials/device'
import { sendVisits } from '../venue/kept-visits'
import { holding } from './holder'

/** What a phone does by itself for a holder while the app is seen: its certificate, and visits not sent yet. */
export function workInBackground(): void {
  let working: AbortController | null = null

  function follow(): void {
    const wanted = holding.value && !document.hidden
    if (wanted && !working) {
      working = new AbortController()
      void keepCertified(working.signal)
      void sendVisits(working.signal)
    } else if (!wanted) {
      working?.abort()
      working = null
    }
  }

  document.addEventListener('visibilitychange', follow)
  watch(holding, follow, { immediate: true })
}
