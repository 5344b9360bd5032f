import { ref, shallowRef, type Ref, type ShallowRef } from 'vue'
import { scanVenue, type ScanAnswer } from '../api/gate'
import { asApiError, type ApiError } from '../api/problem'
import { newNonce, type PosterClaim } from './poster'

/**
 * One visit from the poster to the answer: `propose` a poster, `confirm` it, and read `result`. Confirming again after
 * a failure sends the same nonce, so that a lost answer does not make two visits. `signedOut` is called with the poster
 * when the gate knows no session.
 */
export function useVisit(signedOut: (claim: PosterClaim) => void): {
  claim: ShallowRef<PosterClaim | null>
  result: ShallowRef<ScanAnswer | null>
  failure: ShallowRef<ApiError | null>
  sending: Ref<boolean>
  propose: (claim: PosterClaim) => void
  confirm: () => Promise<void>
  reset: () => void
} {
  const claim = shallowRef<PosterClaim | null>(null)
  const result = shallowRef<ScanAnswer | null>(null)
  const failure = shallowRef<ApiError | null>(null)
  const sending = ref(false)
  let nonce = ''

  function reset(): void {
    claim.value = null
    result.value = null
    failure.value = null
  }

  function propose(found: PosterClaim): void {
    reset()
    nonce = newNonce()
    claim.value = found
  }

  async function confirm(): Promise<void> {
    if (!claim.value || sending.value) return
    sending.value = true
    failure.value = null
    try {
      result.value = await scanVenue(claim.value.text, nonce)
    } catch (error) {
      failure.value = asApiError(error)
      if (failure.value.kind === 'signed_out') signedOut(claim.value)
    } finally {
      sending.value = false
    }
  }

  return { claim, result, failure, sending, propose, confirm, reset }
}
