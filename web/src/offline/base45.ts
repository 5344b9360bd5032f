import type { Bytes } from './bytes'

const ALPHABET = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ $%*+-./:'
const DIGITS = new Uint8Array(128).fill(255)
for (let digit = 0; digit < 45; digit += 1) DIGITS[ALPHABET.charCodeAt(digit)] = digit

function digitAt(text: string, index: number): number {
  const code = text.charCodeAt(index)
  return code < 128 ? (DIGITS[code] ?? 255) : 255
}

/**
 * The bytes whose Base45 (RFC 9285) is `text`; null for a character outside the alphabet, a length no bytes have, or a
 * group over its maximum. The caller bounds the length.
 */
export function fromBase45(text: string): Bytes | null {
  const rest = text.length % 3
  if (rest === 1) return null
  const bytes = new Uint8Array(Math.floor(text.length / 3) * 2 + (rest === 2 ? 1 : 0))
  let at = 0
  for (let index = 0; index < text.length; index += 3) {
    const [low, high] = [digitAt(text, index), digitAt(text, index + 1)]
    const isWhole = index + 2 < text.length
    const highest = isWhole ? digitAt(text, index + 2) : 0
    if (low > 44 || high > 44 || highest > 44) return null
    const value = low + high * 45 + highest * 2025
    if (value > (isWhole ? 65_535 : 255)) return null
    if (isWhole) bytes[at++] = value >> 8
    bytes[at++] = value & 255
  }
  return bytes
}
