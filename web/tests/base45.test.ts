import { describe, expect, it } from 'vitest'
import { decodeBase45, encodeBase45 } from '../src/code/base45'

const bytesOf = (text: string): Uint8Array => new TextEncoder().encode(text)

describe('Base45', () => {
  // RFC 9285, sections 4.3 and 4.4.
  it.each([
    ['AB', 'BB8'],
    ['Hello!!', '%69 VD92EX0'],
    ['base-45', 'UJCLQE7W581'],
    ['ietf!', 'QED8WEX0'],
    ['', ''],
  ])('writes "%s" as the standard does, and reads it back', (plain, text) => {
    expect(encodeBase45(bytesOf(plain))).toBe(text)
    expect(decodeBase45(text)).toEqual(bytesOf(plain))
  })

  it('brings back every length of bytes', () => {
    for (let length = 0; length < 260; length += 1) {
      const bytes = crypto.getRandomValues(new Uint8Array(length))
      expect(decodeBase45(encodeBase45(bytes))).toEqual(bytes)
    }
  })

  it.each([
    ['a lone character', 'BB8B'],
    ['a small letter', 'bb8'],
    ['a group over its maximum', ':::'],
    ['an end over its maximum', '::'],
  ])('refuses %s', (_what, text) => {
    expect(decodeBase45(text)).toBeNull()
  })
})
