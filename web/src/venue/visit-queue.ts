import type { ApiError } from '../api/problem'

/** A visit recorded on this phone and not yet at the gate. `scannedAt` in milliseconds by the server's clock. */
export interface KeptVisit {
  readonly poster: string
  readonly nonce: string
  readonly name: string
  readonly scannedAt: number
  /** Why the gate will never take it, in words; empty while it may. */
  readonly refusal: string
}

// A week without network at thirty visits a day; 200 posters of 500 characters are 100 kB.
export const VISITS_KEPT_MAX = 200

/** `visits` with `visit`; null when there is no room: an older one is never dropped for it. The same nonce is one visit. */
export function withVisit(visits: readonly KeptVisit[], visit: KeptVisit): readonly KeptVisit[] | null {
  if (visits.some((other) => other.nonce === visit.nonce)) return visits
  return visits.length < VISITS_KEPT_MAX ? [...visits, visit] : null
}

/** `visits` without the one named `nonce`. */
export function withoutVisit(visits: readonly KeptVisit[], nonce: string): readonly KeptVisit[] {
  return visits.filter((visit) => visit.nonce !== nonce)
}

/** `visits` with the one named `nonce` marked as refused for good. */
export function withRefusal(visits: readonly KeptVisit[], nonce: string, refusal: string): readonly KeptVisit[] {
  return visits.map((visit) => (visit.nonce === nonce ? { ...visit, refusal } : visit))
}

/** The visits that are still to be sent, oldest first. */
export function waiting(visits: readonly KeptVisit[]): readonly KeptVisit[] {
  return visits.filter((visit) => visit.refusal === '')
}

/** Whether the gate may have been out of reach, so that the visit is to be kept and sent again with the same nonce. */
export function isOutage(failure: ApiError): boolean {
  return failure.kind === 'offline' || failure.kind === 'timeout' || failure.kind === 'busy' || failure.kind === 'broken'
}

/** Whether sending again can never help. A notice that blocks scanning may go away, a session may be opened again. */
export function isFinal(failure: ApiError): boolean {
  return failure.kind === 'refused' && failure.code !== 'scan_blocked'
}
