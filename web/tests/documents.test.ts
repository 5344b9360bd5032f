import { describe, expect, it } from 'vitest'
import { isResidentId, looksLikePhone, looksValid, normalised } from '../src/phone/documents'

describe('document numbers before they are sent', () => {
  // The specimen of GB 11643.
  it('accepts a resident identity number with its check character', () => {
    expect(isResidentId('11010519491231002X')).toBe(true)
  })

  it.each([
    ['a wrong check character', '110105194912310021'],
    ['a birth date that does not exist', '11010519490231002X'],
    ['too few digits', '11010519491231002'],
    ['a letter inside', '1101051949A231002X'],
  ])('refuses %s', (_what, number) => {
    expect(isResidentId(number)).toBe(false)
  })

  it.each([
    ['passport', 'E12345678', true],
    ['passport', 'E-1', false],
    ['hk_macau_permit', 'h12345678', true],
    ['hk_macau_permit', 'X12345678', false],
    ['taiwan_permit', '01234567', true],
    ['taiwan_permit', '1234567', false],
    ['foreign_permanent_resident', 'CAN110178051801', true],
    ['foreign_permanent_resident', '123', false],
  ] as const)('takes a %s of %s as %s', (type, number, expected) => {
    expect(looksValid(type, number)).toBe(expected)
  })

  it('drops spaces and raises letters', () => {
    expect(normalised(' 110105 19491231 002x ')).toBe('11010519491231002X')
  })

  it('knows a mobile phone from another number', () => {
    expect([looksLikePhone('138 0000 5678'), looksLikePhone('02812345678')]).toEqual([true, false])
  })
})
