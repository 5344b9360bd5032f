import { ref, shallowRef, type Ref, type ShallowRef } from 'vue'
import { backoffMilliseconds } from '../api/backoff'
import { scanVenue, type ScanAnswer } from '../api/gate'
import { bePatient } from '../api/patience'
import { asApiError, type ApiError } from '../api/problem'
import { latestKnown } from '../clock/phone-clock'
import { keepVisit } from './kept-visits'
import { newNonce, type PosterClaim } from './poster'
import { isOutage, type KeptVisit } from './visit-queue'

/**
 * One visit from the poster to the answer: `propose` a poster, `confirm` it, and read `result`. Confirming again after
 * a failure sends the same nonce, so that a lost answer does not make two visits. When the gate is out of reach the
 * visit is kept on this phone and is in `kept`; `notKept` says why it could not be. `signedOut` is called with the
 * poster when the gate knows no session.
 */
export function useVisit(signedOut: (claim: PosterClaim) => void): {
  claim: ShallowRef<PosterClaim | null>
  result: ShallowRef<ScanAnswer | null>
  kept: ShallowRef<KeptVisit | null>
  notKept: Ref<'full' | 'refused' | null>
  failure: ShallowRef<ApiError | null>
  sending: Ref<boolean>
  propose: (claim: PosterClaim) => void
  confirm: () => Promise<void>
  reset: () => void
} {
  const claim = shallowRef<PosterClaim | null>(null)
  const result = shallowRef<ScanAnswer | null>(null)
  const kept = shallowRef<KeptVisit | null>(null)
  const notKept = ref<'full' | 'refused' | null>(null)
  const failure = shallowRef<ApiError | null>(null)
  const sending = ref(false)
  let nonce = ''

  function reset(): void {
    claim.value = null
    result.value = null
    kept.value = null
    notKept.value = null
    failure.value = null
  }

  function propose(found: PosterClaim): void {
    reset()
    nonce = newNonce()
    claim.value = found
  }

  async function keepForLater(visit: KeptVisit, why: ApiError): Promise<void> {
    if (why.kind === 'busy') bePatient(backoffMilliseconds(1, why.retryAfterSeconds), Date.now())
    const outcome = await keepVisit(visit)
    if (outcome === 'kept') kept.value = visit
    else [notKept.value, failure.value] = [outcome, why]
  }

  async function confirm(): Promise<void> {
    if (!claim.value || sending.value) return
    const { text, name } = claim.value
    const visit: KeptVisit = { poster: text, nonce, name, scannedAt: Math.floor(latestKnown()), refusal: '' }
    sending.value = true
    failure.value = null
    notKept.value = null
    try {
      result.value = await scanVenue(text, nonce)
    } catch (error) {
      const problem = asApiError(error)
      if (isOutage(problem)) await keepForLater(visit, problem)
      else failure.value = problem
      if (problem.kind === 'signed_out' && claim.value) signedOut(claim.value)
    } finally {
      sending.value = false
    }
  }

  return { claim, result, kept, notKept, failure, sending, propose, confirm, reset }
}
