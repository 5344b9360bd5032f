import { concat, hexOf, sha256, type Bytes } from './bytes'

/** What a key may sign. A key of one purpose never verifies a code of another. */
export const PURPOSES = ['personal', 'card', 'device', 'venue', 'vehicle', 'list'] as const
export type Purpose = (typeof PURPOSES)[number]

export const POINT_BYTES = 64
export const KID_BYTES = 4
export const SIGNATURE_BYTES = 64

const CURVE = { name: 'ECDSA', namedCurve: 'P-256' } as const
const ES256 = { name: 'ECDSA', hash: 'SHA-256' } as const
const UNCOMPRESSED = new Uint8Array([4])

/** A public ES256 key with its purpose. `from` and `until` are seconds since 1970; 0 is "ever" and "no end yet". */
export interface TrustedKey {
  readonly purpose: Purpose
  readonly kid: string
  readonly point: Bytes
  readonly from: number
  readonly until: number
  readonly key: CryptoKey
}

/** The key with the point x ‖ y; null for a point off the curve or the point at infinity. */
export async function keyOfPoint(point: Bytes): Promise<CryptoKey | null> {
  try {
    return await crypto.subtle.importKey('raw', concat(UNCOMPRESSED, point), CURVE, false, ['verify'])
  } catch {
    return null
  }
}

/** The kid of the key with that point, in hex. */
export async function kidOfPoint(point: Bytes): Promise<string> {
  return hexOf((await sha256(concat(UNCOMPRESSED, point))).subarray(0, KID_BYTES))
}

/** Whether `signature` (raw, 64 bytes) is the key's over `data`; false for anything malformed. */
export async function isSignedBy(key: CryptoKey, signature: Bytes, data: Bytes): Promise<boolean> {
  try {
    return await crypto.subtle.verify(ES256, key, signature, data)
  } catch {
    return false
  }
}
