import { concat, fromBase64url, hexOf, number32, sha256, type Bytes } from './bytes'
import { AROUND_BYTES_MAX, openSigned, PAYLOAD_BYTES_MAX } from './cose'
import { ExactCbor, NotExactError } from './exact-cbor'
import { KID_BYTES, keyOfPoint, kidOfPoint, POINT_BYTES, PURPOSES, type Purpose, type TrustedKey } from './keys'

export type ListKind = 'trust' | 'not-green'

const PREFIX = 'HKL:'
const CHARACTERS_MAX = PREFIX.length + Math.ceil((PAYLOAD_BYTES_MAX + AROUND_BYTES_MAX) / 3) * 4
// The longest that a list may be believed.
const LIFE_SECONDS_MAX = 168 * 3600
// Twenty years of monthly rotation of six purposes, none of them retired.
const KEYS_MAX = 1440
const PURPOSE_BYTES_MAX = 16
const ENTRIES_MAX = 400_000
const HASHES_MAX = 32
const FILTER_BYTES_READ_MIN = 8

/** What every signed list says of itself. Numbers only rise; at `expiresAt` it says nothing any more. */
export interface ListHead {
  readonly number: number
  readonly issuedAt: number
  readonly expiresAt: number
}
export interface TrustList extends ListHead {
  readonly keys: readonly TrustedKey[]
}
export interface NotGreenList extends ListHead {
  readonly entries: number
  readonly hashes: number
  readonly bits: Bytes
}

async function opened(text: string, roots: readonly TrustedKey[]): Promise<Bytes | null> {
  if (text.length > CHARACTERS_MAX || !text.startsWith(PREFIX)) return null
  const data = fromBase64url(text.slice(PREFIX.length))
  return data && openSigned(data, roots, 'list')
}

function readHead(reader: ExactCbor, kind: ListKind): ListHead {
  if (reader.text(PURPOSE_BYTES_MAX) !== kind) throw new NotExactError()
  const [number, issuedAt, expiresAt] = [reader.number(), reader.number(), reader.number()]
  if (issuedAt === 0 || expiresAt <= issuedAt || expiresAt - issuedAt > LIFE_SECONDS_MAX) throw new NotExactError()
  return { number, issuedAt, expiresAt }
}

function purposeOf(text: string): Purpose {
  const found = PURPOSES.find((purpose) => purpose === text)
  if (!found) throw new NotExactError()
  return found
}

type KeyEntry = Omit<TrustedKey, 'key'>

function readKey(reader: ExactCbor): KeyEntry {
  if (reader.array(5) !== 5) throw new NotExactError()
  return {
    purpose: purposeOf(reader.text(PURPOSE_BYTES_MAX)),
    kid: hexOf(reader.byteString(KID_BYTES, KID_BYTES)),
    point: reader.byteString(POINT_BYTES, POINT_BYTES).slice(),
    from: reader.number(),
    until: reader.number(),
  }
}

/** An entry with its key ready for use; null when the point is off the curve or the kid is another's. */
export async function trusted(entry: KeyEntry): Promise<TrustedKey | null> {
  if ((await kidOfPoint(entry.point)) !== entry.kid) return null
  const key = await keyOfPoint(entry.point)
  return key && { ...entry, key }
}

function read<Content>(payload: Bytes, content: (reader: ExactCbor) => Content): Content | null {
  try {
    const reader = new ExactCbor(payload)
    const found = content(reader)
    reader.end()
    return found
  } catch (error) {
    if (error instanceof NotExactError) return null
    throw error
  }
}

/** The trust list with that text if a list key of `roots` signed it and every key in it is sound; else null. */
export async function readTrust(text: string, roots: readonly TrustedKey[]): Promise<TrustList | null> {
  const payload = await opened(text, roots)
  const found = payload && read(payload, (reader) => {
    if (reader.array(5) !== 5) throw new NotExactError()
    const head = readHead(reader, 'trust')
    return { ...head, entries: Array.from({ length: reader.array(KEYS_MAX) }, () => readKey(reader)) }
  })
  if (!found) return null
  const keys = (await Promise.all(found.entries.map(trusted))).filter((key) => key !== null)
  const { number, issuedAt, expiresAt, entries } = found
  return keys.length === entries.length ? { number, issuedAt, expiresAt, keys } : null
}

/** As `readTrust`, the list of credentials that are not green. */
export async function readNotGreen(text: string, roots: readonly TrustedKey[]): Promise<NotGreenList | null> {
  const payload = await opened(text, roots)
  return payload && read(payload, (reader) => {
    if (reader.array(7) !== 7) throw new NotExactError()
    const head = readHead(reader, 'not-green')
    const [entries, hashes] = [reader.number(ENTRIES_MAX), reader.number(HASHES_MAX)]
    if (hashes === 0) throw new NotExactError()
    return { ...head, entries, hashes, bits: reader.byteString(FILTER_BYTES_READ_MIN, PAYLOAD_BYTES_MAX) }
  })
}

/** Whether the credential is in the list: always when it is, once in 10,000 when it is not. */
export async function isListed(list: NotGreenList, credential: Bytes): Promise<boolean> {
  const digest = await sha256(concat(credential, number32(list.number)))
  const view = new DataView(digest.buffer)
  const size = 8 * list.bits.length
  const step = Number(view.getBigUint64(8) % BigInt(size))
  let at = Number(view.getBigUint64(0) % BigInt(size))
  for (let hash = 0; hash < list.hashes; hash += 1) {
    if (!(((list.bits[at >> 3] ?? 0) >> (at & 7)) & 1)) return false
    at = (at + step) % size
  }
  return true
}
