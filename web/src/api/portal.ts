import { request } from './client'
import type { Colour } from './gate'
import { detail } from './heavy-use'

export type DocumentType =
  | 'resident_id'
  | 'passport'
  | 'hk_macau_permit'
  | 'taiwan_permit'
  | 'foreign_permanent_resident'

export interface Document {
  readonly type: DocumentType
  readonly number: string
}

export interface Info {
  readonly environment: string
  readonly sandbox: boolean
  readonly version: string
}

export interface Consents {
  readonly version: string
  readonly purposes: readonly { readonly id: string; readonly required: boolean; readonly zh: string; readonly en: string }[]
}

export interface Division {
  readonly code: string
  readonly name: string
}

export interface Challenge {
  readonly challenge: string
  readonly expires_in_seconds: number
  readonly resend_after_seconds: number
  readonly sandbox_code?: string
}

export interface Opened {
  readonly masked_name: string
  readonly masked_document: string
  readonly expires_at: string | number
}

export interface Claim {
  readonly name: string
  readonly document: Document
  readonly phone: string
  readonly challenge: string
  readonly one_time_password: string
  readonly district: string
  readonly consents: readonly string[]
  readonly consent_version: string
  readonly language: string
}

export interface Me {
  readonly masked_name: string
  readonly masked_document: string
  readonly masked_phone: string
  readonly claimed_at: string
  readonly language: string
  readonly declared_until: string | null
}

export interface Policy {
  readonly name: string
  readonly number: number
  readonly hash: string
  readonly title: string
}

export interface DecisionReason {
  readonly title: string
  readonly text: string
  readonly since: string | null
  readonly until: string | null
  readonly how_it_ends: string
  readonly measure_title?: string | null
  readonly measure_text?: string | null
  readonly authority?: string
  readonly office: string | null
  readonly rule: string
  readonly cites: string
  readonly source_name: string
  readonly evidence: string | number
}

/** A notice beside the colour, in the words of the rule set. */
export interface DecisionPopup {
  readonly id: string
  readonly title: string
  readonly text: string
}

/** `checking` without a policy: there is no decision yet, and will be one within a second or so. */
export interface MyDecision {
  readonly colour: Colour
  readonly popup?: DecisionPopup | null
  readonly reasons: readonly DecisionReason[]
  readonly policy: Policy | null
  readonly at: string
  readonly next_change_at: string | null
}

export interface RecordRead {
  readonly at: string
  readonly role: string
  readonly action: string
  readonly purpose: string
}

/** A printed card: its text `HK2:`, its number among the holder's, and an A6 sheet as SVG. */
export interface Card {
  readonly code: string
  readonly expires_at: string | number
  readonly generation: number
  readonly svg: string
}

export const fetchInfo = (): Promise<Info> => request('GET', '/api/v1/info')
export const fetchConsents = (): Promise<Consents> => request('GET', '/api/v1/consents')
export const fetchDivisions = (): Promise<Division[]> => request('GET', '/api/v1/divisions')
export const sendOneTimePassword = (phone: string): Promise<Challenge> =>
  request('POST', '/api/v1/one-time-passwords', { body: { phone } })
export const claim = (body: Claim): Promise<Opened> => request('POST', '/api/v1/claims', { body })
export const signIn = (body: {
  document: Document
  phone: string
  challenge: string
  one_time_password: string
}): Promise<Opened> => request('POST', '/api/v1/sessions', { body })
export const signOut = (): Promise<void> => request('DELETE', '/api/v1/sessions/current')
export const fetchMe = (): Promise<Me> => detail(() => request('GET', '/api/v1/me'))
export const declare = (body: {
  symptoms: readonly string[]
  temperature_decidegrees: number | null
  truthful: true
}): Promise<{ declared_until: string }> => request('POST', '/api/v1/me/declarations', { body })
export const fetchDecision = (): Promise<MyDecision> => detail(() => request('GET', '/api/v1/me/decision'))
export const fetchReads = (): Promise<RecordRead[]> => detail(() => request('GET', '/api/v1/me/reads'))

/** A certificate for this phone's key (33 bytes, base64url); the one before of this session ends. */
export const certifyDevice = (publicKey: string): Promise<{ certificate: string }> =>
  detail(() => request('POST', '/api/portal/device-key', { body: { public_key: publicKey } }))
export const fetchCard = (): Promise<Card | null | undefined> => detail(() => request('GET', '/api/portal/card'))
/** A new card for oneself; the one before ends. */
export const makeCard = (): Promise<Card> => request('POST', '/api/portal/card', { body: { kind: 'self' } })
export const endCard = (): Promise<void> => request('DELETE', '/api/portal/card')
