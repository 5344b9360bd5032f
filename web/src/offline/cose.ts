import { ascii, concat, hexOf, holds, type Bytes } from './bytes'
import { ExactCbor, NotExactError } from './exact-cbor'
import { isSignedBy, KID_BYTES, SIGNATURE_BYTES, type Purpose, type TrustedKey } from './keys'

// The bare array [protected {1: -7, 4: kid}, {}, payload, signature], byte by byte as docs/formats.md shows it. Fixed
// bytes are compared, so that another algorithm, an unprotected header or a key in the message is never even read.
const HEAD = new Uint8Array([0x84, 0x49, 0xa2, 0x01, 0x26, 0x04, 0x44])
const KID_END = HEAD.length + KID_BYTES
const NO_UNPROTECTED = new Uint8Array([0xa0])
const BODY_START = KID_END + NO_UNPROTECTED.length
const SIGNATURE_HEAD = new Uint8Array([0x58, 0x40])
const TAIL_BYTES = SIGNATURE_HEAD.length + SIGNATURE_BYTES
const SIGNED_HEAD = concat(new Uint8Array([0x84, 0x6a]), ascii('Signature1'), HEAD.subarray(1))
const NO_EXTERNAL = new Uint8Array([0x40])

export const PAYLOAD_BYTES_MAX = 2 ** 20
/** Around a payload: header, kid, length (5 bytes at most), signature. */
export const AROUND_BYTES_MAX = BODY_START + 5 + TAIL_BYTES

/** A message taken apart, nothing verified. */
export interface Message {
  readonly kid: string
  readonly payload: Bytes
  readonly signed: Bytes
  readonly signature: Bytes
}

/** The parts of `data`; null unless it is the one encoding. */
export function takeApart(data: Bytes): Message | null {
  const bodyEnd = data.length - TAIL_BYTES
  if (bodyEnd <= BODY_START || bodyEnd - BODY_START > PAYLOAD_BYTES_MAX + 5) return null
  if (!holds(data, 0, HEAD) || !holds(data, KID_END, NO_UNPROTECTED) || !holds(data, bodyEnd, SIGNATURE_HEAD)) return null
  const kid = data.subarray(HEAD.length, KID_END)
  const body = data.subarray(BODY_START, bodyEnd)
  try {
    const reader = new ExactCbor(body)
    const payload = reader.byteString(0, PAYLOAD_BYTES_MAX)
    reader.end()
    const signed = concat(SIGNED_HEAD, kid, NO_EXTERNAL, body)
    return { kid: hexOf(kid), payload, signed, signature: data.subarray(-SIGNATURE_BYTES) }
  } catch (error) {
    if (error instanceof NotExactError) return null
    throw error
  }
}

/**
 * The payload of `data` if one of `keys` with the message's kid and exactly this purpose signed it, else null. Each key
 * with that kid is tried and no other; a message names a key and never brings one.
 */
export async function openSigned(data: Bytes, keys: readonly TrustedKey[], purpose: Purpose): Promise<Bytes | null> {
  const message = takeApart(data)
  if (!message) return null
  for (const key of keys) {
    if (key.purpose !== purpose || key.kid !== message.kid) continue
    if (await isSignedBy(key.key, message.signature, message.signed)) return message.payload
  }
  return null
}
