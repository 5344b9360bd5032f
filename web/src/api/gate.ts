import { learnServerTime } from '../clock/server-clock'
import { request } from './client'
import type { AddOn } from './heavy-use'

export type Colour = 'green' | 'yellow' | 'red' | 'checking'
export type Popup = '' | 'declare' | 'entry' | 'test' | 'report' | 'zone' | 'notice'
export type ReasonClass =
  | ''
  | 'case'
  | 'test'
  | 'contact'
  | 'declaration'
  | 'zone'
  | 'entry'
  | 'emergency'
  | 'care'
  | 'elsewhere'
  | 'letter'
  | 'duty'
export type TestResult = 'negative' | 'positive' | 'indeterminate'

/** The latest test: `sampled_at` in Unix seconds, `hours` full hours since. */
export interface LatestTest {
  readonly result: TestResult
  readonly sampled_at: number
  readonly hours: number
}

/**
 * What stands beside a colour while the gate has time for it: doses of vaccine (3 is three or more), and whether there
 * was a stay in a risk area. `degraded` names what is left out of this answer because of heavy use.
 */
export interface AddOns {
  readonly vaccination?: number
  readonly travel?: boolean
  readonly degraded?: readonly AddOn[]
}

/** The signed code and what stands beside it; `code` is empty while a popup withholds it. Instants are Unix seconds. */
export interface CodeAnswer extends AddOns {
  readonly code: string
  readonly colour: Colour
  readonly popup: Popup | null
  readonly reason: ReasonClass | null
  readonly rule_set: number
  readonly issued_at: number
  readonly expires_at: number
  readonly refresh_at: number
  readonly masked_name: string
  readonly masked_document: string
  readonly test: LatestTest | null
  readonly board_age_seconds: number
  readonly sequence: number
  readonly server_time: number
}

export interface ScanAnswer extends AddOns {
  readonly venue: { readonly name: string; readonly category: string; readonly district: string; readonly venue_ref: string }
  readonly scanned_at: number
  readonly colour: Colour
  readonly popup: Popup | null
  readonly test: LatestTest | null
  readonly masked_name: string
  readonly board_age_seconds: number
}

/** What was held up. `null` from a gate that does not say. */
export type CodeKind = 'dynamic' | 'card' | 'device'

/** `foreign` is the word of another system, `issuer`, as of `age_seconds` ago. `degraded` names what was left out. */
export interface CheckAnswer {
  readonly verdict: 'valid' | 'already_used' | 'foreign'
  readonly kind?: CodeKind
  readonly issuer?: { readonly id: string; readonly name: string }
  readonly age_seconds?: number
  readonly degraded?: readonly string[]
  readonly server_time?: number
  readonly colour: Colour
  readonly popup: Popup | null
  readonly reason: ReasonClass | null
  readonly masked_name: string
  readonly last_digits: string
  readonly test: LatestTest | null
  readonly checked_at: number
  /** Absent in the word of another system. */
  readonly board_age_seconds?: number
  readonly rule_set?: number
}

/** The code now. Within ten seconds the gate gives the same one again, unless it is to be a `fresh` one. */
export async function fetchCode(fresh: boolean): Promise<CodeAnswer> {
  const sent = Date.now()
  const answer = await request<CodeAnswer>('GET', fresh ? '/gate/v1/code?fresh=1' : '/gate/v1/code')
  learnServerTime(answer.server_time, sent, Date.now())
  return answer
}

/** Waits up to 25 s for a change of this person's record after `sequence`. */
export function awaitChange(sequence: number, signal: AbortSignal): Promise<{ sequence: number; changed: boolean }> {
  return request('GET', `/gate/v1/changes?after=${sequence}`, { signal, timeoutMilliseconds: 35_000 })
}

/**
 * Records a visit. The same `nonce` (8 bytes, hex) sent again is the same visit. `scannedAt` (milliseconds) says when a
 * visit took place that is sent later; without it, now.
 */
export function scanVenue(poster: string, nonce: string, scannedAt?: number): Promise<ScanAnswer> {
  const later = scannedAt === undefined ? {} : { scanned_at: scannedAt }
  return request('POST', '/gate/v1/scan', { body: { poster, nonce, ...later } })
}

export function checkCode(code: string, timeoutMilliseconds: number): Promise<CheckAnswer> {
  return request('POST', '/gate/v1/check', { body: { code }, timeoutMilliseconds })
}

/** One scan of many: `scanned_at` in milliseconds for one that was made without network, absent for one of now. */
export interface BatchItem {
  readonly id: string
  readonly code: string
  readonly scanned_at?: number
}
export type BatchAnswer =
  | ({ readonly id: string; readonly ok: true } & CheckAnswer)
  | { readonly id: string; readonly ok: false; readonly code: string; readonly detail: string }

/** At most 100 items. Sending the same ones again is harmless. */
export function checkMany(
  items: readonly BatchItem[],
  timeoutMilliseconds = 12_000,
): Promise<{ readonly items: readonly BatchAnswer[]; readonly server_time: number }> {
  return request('POST', '/gate/v1/batch', { body: { items }, timeoutMilliseconds })
}

/** Resolves when the gate answers at all. */
export function reachGate(timeoutMilliseconds: number): Promise<unknown> {
  return request('GET', '/gate/v1/health', { timeoutMilliseconds })
}

/** The list keys that a device pins at its first start. */
export function fetchRoot(): Promise<{ keys: readonly { kid: string; point: string }[] }> {
  return request('GET', '/gate/v1/lists/root')
}

/** A signed list as text; whoever takes it verifies it. */
export async function fetchList(kind: 'trust' | 'not-green'): Promise<string> {
  const { list } = await request<{ list: string }>('GET', `/gate/v1/lists/${kind}`)
  return String(list)
}
