import { decodeBase64url } from '../code/base64url'
import { decodeCbor } from './cbor'

// A poster with the longest allowed name is a few hundred characters; more is not ours.
const POSTER_CHARACTERS_MAX = 1024

/** What a poster says of its venue. Not verified here: only the gate knows the keys. Shown before a visit is recorded. */
export interface PosterClaim {
  readonly text: string
  readonly name: string
  readonly category: string
  readonly district: string
}

// The path says which kind of poster it is: of a venue, or of a vehicle.
const VENUE = '/v#'
const VEHICLE = '/t#'

function claimIn(bytes: Uint8Array, path: string): { name: string; category: string; district: string } | null {
  const envelope = decodeCbor(bytes)
  const payload = Array.isArray(envelope) && envelope.length === 4 ? envelope[2] : null
  const fields = payload instanceof Uint8Array ? decodeCbor(payload) : null
  if (!Array.isArray(fields)) return null
  if (path === VEHICLE) {
    // [id, generation, kind, plate, operator]
    const [, , , plate, operator] = fields
    if (typeof plate !== 'string' || typeof operator !== 'string') return null
    return { name: `${plate} ${operator}`, category: 'transport', district: '' }
  }
  // [id, generation, district, category, name]
  const [, , district, category, name] = fields
  if (typeof name !== 'string') return null
  return {
    name,
    category: typeof category === 'string' ? category : '',
    district: typeof district === 'string' || typeof district === 'number' ? String(district) : '',
  }
}

/**
 * Reads the text of a venue's or a vehicle's poster made for `origin`; null for anything else. Nothing is opened or fetched, whatever
 * the text says: a sticker over a poster leads nowhere.
 */
export function readPoster(text: string, origin: string): PosterClaim | null {
  const trimmed = text.trim()
  const path = [VENUE, VEHICLE].find((known) => trimmed.startsWith(origin + known))
  if (trimmed.length > POSTER_CHARACTERS_MAX || !path) return null
  const signed = trimmed.slice(origin.length + path.length)
  if (!/^[\w-]+$/.test(signed)) return null
  try {
    const claim = claimIn(decodeBase64url(signed), path)
    return claim && { text: trimmed, ...claim }
  } catch {
    return null
  }
}

/** Eight random bytes in hex: names one visit, so that sending it twice records it once. */
export function newNonce(): string {
  return Array.from(crypto.getRandomValues(new Uint8Array(8)), (byte) => byte.toString(16).padStart(2, '0')).join('')
}
