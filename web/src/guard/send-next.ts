import type { BatchItem } from '../api/gate'
import type { ScanQueue } from '../offline/scan-queue'

/** A scan that the gate does not take; the reason will not change. */
export interface RefusedScan {
  readonly code: string
  readonly sentence: string
  readonly scannedAt: number
}

/** The part of an answer that decides what becomes of a scan. */
export interface ItemOutcome {
  readonly id: string
  readonly ok: boolean
  readonly code?: string
  readonly detail?: string
}

/** Could not be opened with this device's key. Has no sentence of the gate's. */
export const UNREADABLE = 'unreadable'

/**
 * Sends the oldest scans of one venue, as many as one request takes, and drops those that were answered. Null when
 * none wait. When `send` rejects nothing is dropped, and sending the same ones again is harmless.
 */
export async function sendNext(
  queue: ScanQueue,
  venue: string,
  send: (items: readonly BatchItem[]) => Promise<readonly ItemOutcome[]>,
): Promise<{ sent: number; refused: readonly RefusedScan[] } | null> {
  const { scans, broken } = await queue.nextOf(venue)
  await queue.drop(broken)
  const unreadable = broken.map(() => ({ code: UNREADABLE, sentence: '', scannedAt: 0 }))
  if (scans.length === 0) return broken.length > 0 ? { sent: 0, refused: unreadable } : null
  const answers = await send(scans.map(({ id, code, scannedAt }) => ({ id, code, scanned_at: scannedAt })))
  const outcomes = new Map(answers.map((answer) => [answer.id, answer]))
  const answered = scans.filter((scan) => outcomes.has(scan.id))
  if (answered.length === 0) throw new Error('an answer about other scans')
  await queue.drop(answered.map((scan) => scan.id))
  const refused = answered.flatMap(({ id, scannedAt }) => {
    const outcome = outcomes.get(id)
    return !outcome || outcome.ok ? [] : [{ code: outcome.code ?? '', sentence: outcome.detail ?? '', scannedAt }]
  })
  return { sent: answered.length - refused.length, refused: [...unreadable, ...refused] }
}
