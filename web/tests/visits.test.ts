import { describe, expect, it } from 'vitest'
import { ApiError, type FailureKind } from '../src/api/problem'
import {
  isFinal,
  isOutage,
  VISITS_KEPT_MAX,
  waiting,
  withoutVisit,
  withRefusal,
  withVisit,
  type KeptVisit,
} from '../src/venue/visit-queue'

const visit = (number: number): KeptVisit => ({
  poster: 'http://localhost/v#abc',
  nonce: number.toString(16).padStart(16, '0'),
  name: '文殊院',
  scannedAt: 1_646_107_200_000 + number,
  refusal: '',
})
const full = Array.from({ length: VISITS_KEPT_MAX }, (_, number) => visit(number))

describe('visits kept on the phone', () => {
  it('stay in the order they were made', () => {
    const kept = withVisit([visit(1)], visit(2))
    expect(kept?.map((one) => one.scannedAt % 1000)).toEqual([1, 2])
  })

  it('are one visit when the same one is kept again', () => {
    const kept = [visit(1), visit(2)]
    expect(withVisit(kept, { ...visit(1), scannedAt: 5 })).toBe(kept)
  })

  it('are never dropped for a new one: a full phone says so', () => {
    expect(withVisit(full, visit(999))).toBeNull()
    expect(withVisit(full, visit(3))).toBe(full)
  })

  it('go one by one as they are sent', () => {
    expect(withoutVisit([visit(1), visit(2)], visit(1).nonce)).toEqual([visit(2)])
  })

  it('that the gate refuses stay, with the reason, and are not sent again', () => {
    const kept = withRefusal([visit(1), visit(2)], visit(1).nonce, '该场所码已作废')
    expect(waiting(kept)).toEqual([visit(2)])
    expect(kept[0]?.refusal).toBe('该场所码已作废')
  })
})

describe('a scan that fails', () => {
  const failed = (kind: FailureKind, code?: string): ApiError => new ApiError(kind, 'x', code ? { code } : {})

  it.each(['offline', 'timeout', 'busy', 'broken'] as const)('because the gate is away (%s) is kept', (kind) => {
    expect(isOutage(failed(kind))).toBe(true)
    expect(isFinal(failed(kind))).toBe(false)
  })

  it.each(['poster_outdated', 'venue_unknown', 'scan_too_old', 'poster_invalid'])('with %s is not sent again', (code) => {
    expect(isOutage(failed('refused', code))).toBe(false)
    expect(isFinal(failed('refused', code))).toBe(true)
  })

  it('because of a notice or a lost session may still be taken later', () => {
    expect(isFinal(failed('refused', 'scan_blocked'))).toBe(false)
    expect(isFinal(failed('signed_out'))).toBe(false)
  })
})
