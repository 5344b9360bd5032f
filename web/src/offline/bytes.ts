/** Bytes in memory of their own, which is what WebCrypto takes. */
export type Bytes = Uint8Array<ArrayBuffer>

const HEX = Array.from({ length: 256 }, (_, byte) => byte.toString(16).padStart(2, '0'))

export function hexOf(bytes: Uint8Array): string {
  let text = ''
  for (const byte of bytes) text += HEX[byte]
  return text
}

export function concat(...parts: readonly Uint8Array[]): Bytes {
  const whole = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0))
  let at = 0
  for (const part of parts) {
    whole.set(part, at)
    at += part.length
  }
  return whole
}

export function ascii(text: string): Bytes {
  return Uint8Array.from(text, (character) => character.charCodeAt(0))
}

/** Whether `bytes` hold exactly `expected` from `at` on. */
export function holds(bytes: Uint8Array, at: number, expected: Uint8Array): boolean {
  return at + expected.length <= bytes.length && expected.every((byte, index) => bytes[at + index] === byte)
}

export function number32(value: number): Bytes {
  return new Uint8Array([value >>> 24, value >>> 16, value >>> 8, value])
}

export async function sha256(bytes: Bytes): Promise<Bytes> {
  return new Uint8Array(await crypto.subtle.digest('SHA-256', bytes))
}

const BASE64URL = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_'
const VALUES = new Uint8Array(128).fill(255)
for (let value = 0; value < 64; value += 1) VALUES[BASE64URL.charCodeAt(value)] = value

/**
 * The bytes of base64url without padding; null for another character, a length no bytes have, or spare bits that are
 * not zero. The caller bounds the length.
 */
export function fromBase64url(text: string): Bytes | null {
  const rest = text.length % 4
  if (rest === 1) return null
  const bytes = new Uint8Array(Math.floor((text.length * 3) / 4))
  let held = 0
  let bits = 0
  let at = 0
  for (let index = 0; index < text.length; index += 1) {
    const code = text.charCodeAt(index)
    const value = code < 128 ? (VALUES[code] ?? 255) : 255
    if (value === 255) return null
    held = ((held << 6) | value) & 0xffff
    bits += 6
    if (bits >= 8) {
      bits -= 8
      bytes[at] = (held >> bits) & 255
      at += 1
    }
  }
  return (held & ((1 << bits) - 1)) === 0 ? bytes : null
}
