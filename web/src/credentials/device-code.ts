import { encodeBase45 } from '../code/base45'
import { decodeCbor } from '../venue/cbor'

// The device-bound code `HK3:` byte by byte: docs/formats.md. Pure but for the browser's own signing.
export const PREFIX = 'HK3:'
const DOMAIN = new TextEncoder().encode('tianfu device code 1')
const SIGNATURE_BYTES = 64
const COORDINATE_BYTES = 32
export const CURVE = { name: 'ECDSA', namedCurve: 'P-256' } as const
const SIGNING = { name: 'ECDSA', hash: 'SHA-256' } as const

/** What the certificate of this phone says, read and not verified: only scanners know the keys. Instants are seconds. */
export interface Certificate {
  readonly bytes: Uint8Array<ArrayBuffer>
  readonly expiresAt: number
  readonly issuedAt: number
  readonly maskedName: string
  readonly lastDigits: string
}

/** The certificate in `bytes`; null for anything else. */
export function readCertificate(bytes: Uint8Array<ArrayBuffer>): Certificate | null {
  try {
    const envelope = decodeCbor(bytes)
    const payload = Array.isArray(envelope) && envelope.length === 4 ? envelope[2] : null
    const fields = payload instanceof Uint8Array ? decodeCbor(payload) : null
    if (!Array.isArray(fields) || fields.length !== 7) return null
    // [exp, iat, credential id, device key, rule set, masked name, last digits]
    const [expiresAt, issuedAt, , , , maskedName, lastDigits] = fields
    if (typeof expiresAt !== 'number' || typeof issuedAt !== 'number') return null
    if (typeof maskedName !== 'string' || typeof lastDigits !== 'string') return null
    return { bytes, expiresAt, issuedAt, maskedName, lastDigits }
  } catch {
    return null
  }
}

/** A point `04 ‖ x ‖ y` as 33 bytes: whether y is odd, then x. Throws RangeError for anything but a P-256 point. */
export function compressPoint(point: Uint8Array): Uint8Array {
  if (point.length !== 1 + 2 * COORDINATE_BYTES || point[0] !== 4) throw new RangeError('not an uncompressed point')
  const isOdd = ((point[2 * COORDINATE_BYTES] ?? 0) & 1) === 1
  return Uint8Array.of(isOdd ? 3 : 2, ...point.subarray(1, 1 + COORDINATE_BYTES))
}

function timeBytes(seconds: number): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(4)
  new DataView(bytes.buffer).setUint32(0, seconds)
  return bytes
}

function joined(...parts: readonly Uint8Array[]): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0))
  let at = 0
  for (const part of parts) {
    bytes.set(part, at)
    at += part.length
  }
  return bytes
}

/** What the phone signs to show its code at `seconds`. */
export async function deviceMessage(certificate: Uint8Array<ArrayBuffer>, seconds: number): Promise<Uint8Array<ArrayBuffer>> {
  const hash = new Uint8Array(await crypto.subtle.digest('SHA-256', certificate))
  return joined(DOMAIN, hash, timeBytes(seconds))
}

/** The text for the QR. */
export function presentationText(certificate: Uint8Array, seconds: number, signature: Uint8Array): string {
  if (signature.length !== SIGNATURE_BYTES) throw new RangeError('not an ES256 signature')
  return PREFIX + encodeBase45(joined(certificate, timeBytes(seconds), signature))
}

/** A fresh code of this phone, valid around `seconds` (since 1970). */
export async function present(key: CryptoKey, certificate: Uint8Array<ArrayBuffer>, seconds: number): Promise<string> {
  const signed = await crypto.subtle.sign(SIGNING, key, await deviceMessage(certificate, seconds))
  return presentationText(certificate, seconds, new Uint8Array(signed))
}
