import type { Belief, Doubt } from './belief'
import { kindOf, openCode, SKEW_SECONDS, type CodeKind, type GenuineCode } from './codes'
import { isListed } from './lists'
import type { TimeFloor } from './time-floor'

/**
 * What this device may say of a text without asking anybody. Only `dynamic` shows a colour, and it is that of the
 * code's making. `clear` is a card or a phone's own code that is on no list, `listed` one that is. `doubt` is everything
 * uncertain and never a colour; `foreign` is none of our codes; `forged` none that we signed.
 */
export type Judgement =
  | { readonly verdict: 'dynamic' | 'clear' | 'listed'; readonly code: GenuineCode; readonly listedAt: number | null }
  | { readonly verdict: 'expired' | 'early' | 'forged'; readonly kind: CodeKind }
  | { readonly verdict: 'doubt'; readonly why: Doubt; readonly kind: CodeKind }
  | { readonly verdict: 'foreign' }

// Codes collected together are judged together: those of a bus within a minute or two.
const HELD_SECONDS_MAX = 180

/**
 * One instant: the corrected clock and a clock nobody can set, in seconds. `held` is when the code was held up, where
 * that was a little earlier.
 */
export interface Instant {
  readonly wall: number
  readonly steady: number
  readonly held?: number
}

/** When the code was held up; never later than now, and never long before. */
export function heldAt({ wall, held = wall }: Instant): number {
  return Math.min(wall, Math.max(held, wall - HELD_SECONDS_MAX))
}

function lifeOf(code: GenuineCode, now: number): 'expired' | 'early' | null {
  if (code.lives.some((life) => now >= life.until + life.slackSeconds)) return 'expired'
  return code.lives.some((life) => now < life.from - life.slackSeconds) ? 'early' : null
}

/** Judges `text` at `at`. Never throws, whatever `text` holds, asks for nothing and opens nothing. */
export async function judge(text: string, belief: Belief, floor: TimeFloor, at: Instant): Promise<Judgement> {
  const kind = kindOf(text)
  if (!kind) return { verdict: 'foreign' }
  const now = Math.floor(at.wall)
  if (floor.isSetBack(at.wall, at.steady)) return { verdict: 'doubt', why: 'clock_set_back', kind }
  const why =
    belief.doubt('trust', now, SKEW_SECONDS) ?? (kind === 'dynamic' ? null : belief.doubt('not-green', now, SKEW_SECONDS))
  if (why) return { verdict: 'doubt', why, kind }
  const code = await openCode(text, belief.keysAt(now, SKEW_SECONDS))
  if (!code) return { verdict: 'forged', kind }
  const ended = lifeOf(code, Math.floor(heldAt(at)))
  if (ended) return { verdict: ended, kind }
  floor.noteSigned(code.signedAt)
  if (!code.credential) return { verdict: 'dynamic', code, listedAt: null }
  const list = belief.notGreen
  if (!list) return { verdict: 'doubt', why: 'no_list', kind }
  return { verdict: (await isListed(list, code.credential)) ? 'listed' : 'clear', code, listedAt: list.issuedAt }
}
