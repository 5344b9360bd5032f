import { concat, hexOf, type Bytes } from './bytes'

// The curve P-256 (FIPS 186-5): y² = x³ − 3x + b over the field of P. P is 3 modulo 4, so a square root is one power.
const P = 0xffffffff00000001000000000000000000000000ffffffffffffffffffffffffn
const B = 0x5ac635d8aa3a93e7b3ebbd55769886bc651d06b0cc53b0f63bce3c3e27d2604bn
const HALF_BYTES = 32

export const COMPRESSED_BYTES = 1 + HALF_BYTES

function power(base: bigint, exponent: bigint): bigint {
  let result = 1n
  let square = base
  for (let rest = exponent; rest > 0n; rest >>= 1n) {
    if (rest & 1n) result = (result * square) % P
    square = (square * square) % P
  }
  return result
}

function bytesOf(value: bigint): Bytes {
  const text = value.toString(16).padStart(2 * HALF_BYTES, '0')
  return Uint8Array.from({ length: HALF_BYTES }, (_, index) => Number.parseInt(text.slice(2 * index, 2 * index + 2), 16))
}

/** x ‖ y of a compressed point; null for another length or form, and where the curve has no such point. */
export function decompress(compressed: Uint8Array): Bytes | null {
  const form = compressed[0]
  if (compressed.length !== COMPRESSED_BYTES || (form !== 2 && form !== 3)) return null
  const x = BigInt(`0x${hexOf(compressed.subarray(1))}`)
  if (x >= P) return null
  const square = (((x * x - 3n) * x + B) % P + P) % P
  const root = power(square, (P + 1n) / 4n)
  if ((root * root) % P !== square) return null
  const isOdd = (root & 1n) === 1n
  return concat(bytesOf(x), bytesOf(isOdd === (form === 3) ? root : P - root))
}
