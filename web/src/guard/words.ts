import { asApiError, type ApiError } from '../api/problem'
import type { Colour } from '../api/gate'
import { bandOf } from '../code/test-band'
import { desk } from '../console/messages'
import { clockParts } from '../language/instants'
import { shared } from '../messages'
import type { Finding } from '../offline/device'
import type { Outcome } from './ask'
import { duty } from './messages'

/** How an outcome is meant: let pass, look at it, or nothing can be said. Only the first is ever green or blue. */
export type Tone = 'pass' | 'look' | 'unknown'

/** An outcome in words: what stands large, what stands below, and what is spoken. */
export interface Words {
  readonly tone: Tone
  readonly colour: Colour | 'pass'
  readonly word: string
  readonly sentence: string
  readonly spoken: string
}

/** Hours, minutes and seconds of an instant in milliseconds. */
export function timeText(milliseconds: number): string {
  const { minutes, seconds } = clockParts(milliseconds)
  return `${minutes}:${seconds}`
}

/** What is to be said of an outcome, in the guard's language. */
export function wordsOf(outcome: Outcome): Words {
  const { here, spoken } = duty.value
  if (outcome.from === 'gate') return ofGate(outcome)
  if (outcome.from === 'here') return ofHere(outcome.finding)
  if (outcome.from === 'refused') return ofRefusal(outcome.problem)
  if (outcome.from === 'foreign') {
    const words = desk.value.check
    return { tone: 'look', colour: 'checking', word: here.forged, sentence: words.foreign, spoken: words.spoken.foreign }
  }
  const [word, sentence, said] =
    outcome.from === 'unasked'
      ? [here.unasked, here.unaskedText, spoken.unasked]
      : [duty.value.offline.closed, duty.value.offline.closedText, spoken.closed]
  return { tone: 'unknown', colour: 'checking', word, sentence, spoken: said }
}

function ofGate({ answer }: Outcome & { from: 'gate' }): Words {
  const said = desk.value.check.spoken
  const { word, sentence } = shared.value.colours[answer.colour]
  const isUsed = answer.verdict === 'already_used'
  const isClear = answer.colour === 'green' && !isUsed && !answer.popup
  const band = answer.test?.result === 'negative' ? bandOf(answer.test.hours) : null
  const state = band === null ? said[answer.colour] : said.withTest(said[answer.colour], band)
  return {
    tone: isClear ? 'pass' : answer.colour === 'checking' ? 'unknown' : 'look',
    colour: isUsed ? 'yellow' : answer.colour,
    word: isUsed ? desk.value.check.used : word,
    sentence: isUsed ? desk.value.check.usedText : answer.popup ? shared.value.popup[answer.popup] : sentence,
    spoken: isUsed ? said.used : state,
  }
}

function ofHere({ judgement, used, at }: Finding): Words {
  const { here, doubts, spoken } = duty.value
  if (used) return { tone: 'look', colour: 'yellow', word: here.used, sentence: here.usedText, spoken: here.used }
  if (judgement.verdict === 'doubt') {
    return { tone: 'unknown', colour: 'checking', word: here.doubt, sentence: doubts[judgement.why], spoken: spoken.doubt }
  }
  if (judgement.verdict === 'foreign') return wordsOf({ from: 'unasked' })
  if (!('code' in judgement)) {
    const sentence = { forged: here.forgedText, expired: here.expiredText, early: here.earlyText }[judgement.verdict]
    const word = here[judgement.verdict]
    return { tone: 'look', colour: 'checking', word, sentence, spoken: spoken[judgement.verdict] }
  }
  const { code, listedAt } = judgement
  if (code.colour) {
    const { word } = shared.value.colours[code.colour]
    return {
      tone: code.colour === 'green' ? 'pass' : code.colour === 'checking' ? 'unknown' : 'look',
      colour: code.colour,
      word: here.word(word),
      sentence: here.asOf(timeText(code.signedAt * 1000)),
      spoken: spoken.asOf(desk.value.check.spoken[code.colour]),
    }
  }
  const list = timeText((listedAt ?? at / 1000) * 1000).slice(0, 5)
  return judgement.verdict === 'clear'
    ? { tone: 'pass', colour: 'pass', word: here.clear, sentence: here.clearText(list), spoken: spoken.clear }
    : { tone: 'look', colour: 'yellow', word: here.listed, sentence: here.listedText(list), spoken: spoken.listed }
}

function ofRefusal(problem: ApiError): Words {
  const { sentence } = asApiError(problem)
  return {
    tone: 'look',
    colour: 'checking',
    word: duty.value.here.forged,
    sentence,
    spoken: desk.value.check.spoken.invalid,
  }
}
