// Base45 (RFC 9285): bytes as the 45 characters that a QR code packs two into eleven bits.
const ALPHABET = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ $%*+-./:'
const BASE = ALPHABET.length

export function encodeBase45(bytes: Uint8Array): string {
  let text = ''
  for (let at = 0; at < bytes.length; at += 2) {
    const isPair = at + 1 < bytes.length
    let value = isPair ? (bytes[at] ?? 0) * 256 + (bytes[at + 1] ?? 0) : (bytes[at] ?? 0)
    for (let digit = 0; digit < (isPair ? 3 : 2); digit += 1) {
      text += ALPHABET.charAt(value % BASE)
      value = Math.floor(value / BASE)
    }
  }
  return text
}

/** The bytes that `encodeBase45` turned into `text`; null for what it never writes. The caller bounds the length. */
export function decodeBase45(text: string): Uint8Array | null {
  const rest = text.length % 3
  if (rest === 1) return null
  const bytes = new Uint8Array(Math.floor(text.length / 3) * 2 + (rest === 2 ? 1 : 0))
  let written = 0
  for (let at = 0; at < text.length; at += 3) {
    const digits = Array.from(text.slice(at, at + 3), (character) => ALPHABET.indexOf(character))
    if (digits.includes(-1)) return null
    const value = digits.reduceRight((sum, digit) => sum * BASE + digit, 0)
    if (value > (digits.length === 3 ? 0xffff : 0xff)) return null
    if (digits.length === 3) bytes[written++] = value >> 8
    bytes[written++] = value & 0xff
  }
  return bytes
}
