import { checkCode, type CheckAnswer } from '../api/gate'
import { asApiError, type ApiError } from '../api/problem'
import { learnServerTime } from '../clock/server-clock'
import { kindOf } from '../offline/codes'
import type { Finding } from '../offline/device'
import { connection, failOver, noteAnswered, ONLINE_MILLISECONDS } from './connection'
import { device, noteChange, now, recallShift, sessionOver } from './post'
import { sendNow } from './sending'

// What a QR of another system holds at most; more is not sent anywhere.
const FOREIGN_CHARACTERS_MAX = 1024

/**
 * What may be shown of a text. `gate`: the gate's word of now. `here`: this device's own, without network. `refused`:
 * the gate or this device says that it is no code that holds. `unasked`: a code of another system that cannot be asked
 * now. `closed`: this device may not check without a sign-in any more.
 */
export type Outcome =
  | { readonly from: 'gate'; readonly answer: CheckAnswer }
  | { readonly from: 'here'; readonly finding: Finding }
  | { readonly from: 'refused'; readonly problem: ApiError }
  | { readonly from: 'foreign' | 'unasked' | 'closed' }

const COLOURS: readonly string[] = ['green', 'yellow', 'red', 'checking']
const VERDICTS: readonly string[] = ['valid', 'already_used', 'foreign']

/** Whether an answer is one. A hotel's log-in page or a proxy in between is none, whatever its status. */
export function isAnswer(answer: unknown): answer is CheckAnswer {
  if (typeof answer !== 'object' || answer === null) return false
  const { verdict, colour } = answer as Partial<Record<string, unknown>>
  return VERDICTS.includes(String(verdict)) && COLOURS.includes(String(colour))
}

/** Whether `problem` says that the gate cannot be asked now, rather than what it thinks of the code. */
export function isAway(problem: ApiError): boolean {
  return ['offline', 'timeout', 'busy', 'broken'].includes(problem.kind) && problem.code !== 'foreign_unavailable'
}

/**
 * Asks the gate, within three seconds; where it cannot be asked, this device judges by itself at once. Rejects never.
 */
export async function ask(text: string): Promise<Outcome> {
  if (text.length > FOREIGN_CHARACTERS_MAX) return { from: 'foreign' }
  if (connection.value === 'online' && !sessionOver.value) {
    const outcome = await askGate(text)
    if (outcome) return outcome
  }
  return judgeHere(text)
}

async function askGate(text: string): Promise<Outcome | null> {
  const sent = Date.now()
  try {
    const answer: unknown = await checkCode(text, ONLINE_MILLISECONDS)
    if (!isAnswer(answer)) {
      failOver()
      return null
    }
    noteAnswered()
    await noteAnswer(text, answer, sent)
    return { from: 'gate', answer }
  } catch (error) {
    const problem = asApiError(error)
    if (problem.kind === 'signed_out') {
      sessionOver.value = true
      return null
    }
    if (problem.code === 'foreign_unavailable') return { from: 'unasked' }
    if (isAway(problem)) {
      failOver(problem.retryAfterSeconds)
      return null
    }
    noteAnswered()
    return problem.code === 'code_invalid' && !kindOf(text) ? { from: 'foreign' } : { from: 'refused', problem }
  }
}

async function noteAnswer(text: string, answer: CheckAnswer, sent: number): Promise<void> {
  const here = await device()
  if (answer.server_time !== undefined) {
    learnServerTime(answer.server_time, sent, Date.now())
    await here.noteServerTime(answer.server_time, now())
  }
  await here.noteChecked(text, now())
}

/**
 * This device's own judgement of a text held up at `held` (seconds since 1970; now unless stated). The scan is kept and
 * sent later.
 */
export async function judgeHere(text: string, held?: number): Promise<Outcome> {
  // A page that has just been loaded may not know yet that there is a shift.
  const duty = await recallShift()
  if (!duty) return { from: 'closed' }
  // Whose code it is cannot be told without its issuer: not known is all that may be said.
  if (!kindOf(text)) return { from: 'unasked' }
  const at = held === undefined ? now() : { ...now(), held }
  const finding = await (await device()).check(text, duty.venue.venue_ref, at)
  noteChange()
  sendNow()
  return { from: 'here', finding }
}
