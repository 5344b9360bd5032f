import { request } from './client'
import type { Colour, Popup, ReasonClass, TestResult } from './gate'
import type { DecisionReason, DocumentType, Policy } from './portal'

export interface VenueName {
  readonly venue_ref: string
  readonly name: string
}

export interface Operator {
  readonly display_name: string
  readonly roles: readonly string[]
  readonly venues: readonly VenueName[]
  /** Where this session checks codes; null for a session that cannot. */
  readonly venue: VenueName | null
}

export interface NewVenue {
  readonly name: string
  readonly category: string
  readonly district: string
  readonly address: string
}

export interface Venue extends NewVenue {
  readonly venue_ref: string
  readonly generation: number
}

export interface Explanation {
  readonly colour: Colour
  readonly reasons: readonly DecisionReason[]
  readonly policy: Policy
  readonly at: string
  readonly next_change_at: string | null
}

/** What a guard learns of a document: what they would see of a code, less the name. */
export interface LookupAnswer {
  readonly colour: Colour
  readonly popup: Popup | null
  readonly reason: ReasonClass | null
  readonly test: { readonly result: TestResult; readonly hours: number } | null
  readonly last_digits: string
}

const base = '/api/v1/console'
const of = (venue: string): string => `${base}/venues/${encodeURIComponent(venue)}`

export const openShift = (body: { username: string; password: string; venue?: string }): Promise<Operator> =>
  request('POST', `${base}/sessions`, { body })
export const closeShift = (): Promise<void> => request('DELETE', `${base}/sessions/current`)
export const fetchOperator = (): Promise<Operator> => request('GET', `${base}/me`, { timeoutMilliseconds: 5_000 })
export const fetchVenues = (): Promise<Venue[]> => request('GET', `${base}/venues`)
export const createVenue = (body: NewVenue): Promise<Venue> => request('POST', `${base}/venues`, { body })
export const posterAddress = (venue: Venue): string => `${of(venue.venue_ref)}/poster.svg`
export const bindGuard = (venue: string, username: string): Promise<void> =>
  request('POST', `${of(venue)}/guards`, { body: { username } })
export const renewPoster = (venue: string): Promise<Venue> => request('POST', `${of(venue)}/generation`, { body: {} })
export const explainPerson = (person: string, purpose: string): Promise<Explanation> =>
  request('POST', `${base}/explanations`, { body: { person, purpose } })
export const lookUpDocument = (document_type: DocumentType, document_number: string): Promise<LookupAnswer> =>
  request('POST', `${base}/id-lookup`, { body: { document_type, document_number, consent: true, purpose: 'entry' } })
