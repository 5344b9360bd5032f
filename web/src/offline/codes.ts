import { fromBase45 } from './base45'
import { ascii, concat, hexOf, number32, sha256, type Bytes } from './bytes'
import { openSigned, takeApart } from './cose'
import { ExactCbor, NotExactError } from './exact-cbor'
import { isSignedBy, keyOfPoint, SIGNATURE_BYTES, type TrustedKey } from './keys'
import { COMPRESSED_BYTES, decompress } from './point'

export const SKEW_SECONDS = 5
// A phone states the time of a device-bound code itself, and its clock may be off by this much.
const PHONE_CLOCK_SECONDS = 30
const SHOWN_LIFE_SECONDS = 90
const DYNAMIC_LIFE_SECONDS_MAX = 90
const CARD_LIFE_SECONDS_MAX = 180 * 86_400
const DEVICE_LIFE_SECONDS_MAX = 168 * 3600

// As in docs/formats.md: the longest content of each kind, with COSE around it, in Base45.
const CHARACTERS_MAX = { dynamic: 286, card: 285, device: 438 } as const
const PREFIXES = { dynamic: 'HK1:', card: 'HK2:', device: 'HK3:' } as const
const NAME_BYTES_MAX = 64
const DIGITS_BYTES_MAX = 8
const ID_BYTES = 16
const CTI_BYTES = 8
const TIME_BYTES = 4
const SHOWING = ascii('tianfu device code 1')

export const COLOURS = ['checking', 'green', 'yellow', 'red'] as const
export type CodeKind = keyof typeof PREFIXES

/** From `from` until before `until`, in seconds since 1970, give or take `slackSeconds`. */
export interface Life {
  readonly from: number
  readonly until: number
  readonly slackSeconds: number
}

/**
 * A code whose signatures hold. `number` names it: the same one held up twice has the same, whatever its signature
 * bytes. It may be used within every one of its `lives`. `colour` is that of a dynamic code's making; cards and
 * device-bound codes have none, and a `credential` to look up instead.
 */
export interface GenuineCode {
  readonly kind: CodeKind
  readonly number: string
  readonly oneTime: boolean
  readonly lives: readonly Life[]
  readonly colour: (typeof COLOURS)[number] | null
  readonly credential: Bytes | null
  readonly maskedName: string
  readonly lastDigits: string
  /** When we signed it, for the device's sense of time; a phone's own word is no such thing. */
  readonly signedAt: number
}

/** Which of our codes `text` claims to be; null for anything else, and for what is too long to be one. */
export function kindOf(text: string): CodeKind | null {
  for (const kind of ['dynamic', 'card', 'device'] as const) {
    if (text.startsWith(PREFIXES[kind])) return text.length <= CHARACTERS_MAX[kind] ? kind : null
  }
  return null
}

interface Dynamic {
  readonly expiresAt: number
  readonly issuedAt: number
  readonly cti: Bytes
  readonly colour: number
  readonly name: string
  readonly digits: string
}
interface Credential {
  readonly expiresAt: number
  readonly issuedAt: number
  readonly id: Bytes
  readonly publicKey: Bytes | null
  readonly name: string
  readonly digits: string
}

function requireLife(issuedAt: number, expiresAt: number, most: number): void {
  if (expiresAt <= issuedAt || expiresAt - issuedAt > most) throw new NotExactError()
}

function requireCount(items: number, expected: number): void {
  if (items !== expected) throw new NotExactError()
}

/** What `read` makes of the whole of `payload`; null for other bytes. */
function exactly<Content>(payload: Bytes, read: (reader: ExactCbor) => Content): Content | null {
  try {
    const reader = new ExactCbor(payload)
    const content = read(reader)
    reader.end()
    return content
  } catch (error) {
    if (error instanceof NotExactError) return null
    throw error
  }
}

function readDynamic(payload: Bytes): Dynamic | null {
  return exactly(payload, (reader) => {
    requireCount(reader.array(8), 8)
    const [expiresAt, issuedAt] = [reader.instant(), reader.instant()]
    const cti = reader.byteString(CTI_BYTES, CTI_BYTES)
    reader.byteString(CTI_BYTES, CTI_BYTES)
    const colour = reader.number(COLOURS.length - 1)
    reader.number(0xffff)
    requireLife(issuedAt, expiresAt, DYNAMIC_LIFE_SECONDS_MAX)
    return { expiresAt, issuedAt, cti, colour, name: reader.text(NAME_BYTES_MAX), digits: reader.text(DIGITS_BYTES_MAX) }
  })
}

function readCard(payload: Bytes): Credential | null {
  return exactly(payload, (reader) => {
    requireCount(reader.array(7), 7)
    const [expiresAt, issuedAt] = [reader.instant(), reader.instant()]
    const id = reader.byteString(ID_BYTES, ID_BYTES)
    if (reader.number(0xffff) === 0) throw new NotExactError()
    reader.number(3)
    requireLife(issuedAt, expiresAt, CARD_LIFE_SECONDS_MAX)
    const [name, digits] = [reader.text(NAME_BYTES_MAX), reader.text(DIGITS_BYTES_MAX)]
    return { expiresAt, issuedAt, id, publicKey: null, name, digits }
  })
}

function readCertificate(payload: Bytes): Credential | null {
  return exactly(payload, (reader) => {
    requireCount(reader.array(7), 7)
    const [expiresAt, issuedAt] = [reader.instant(), reader.instant()]
    const id = reader.byteString(ID_BYTES, ID_BYTES)
    const publicKey = reader.byteString(COMPRESSED_BYTES, COMPRESSED_BYTES)
    reader.number(0xffff)
    requireLife(issuedAt, expiresAt, DEVICE_LIFE_SECONDS_MAX)
    return { expiresAt, issuedAt, id, publicKey, name: reader.text(NAME_BYTES_MAX), digits: reader.text(DIGITS_BYTES_MAX) }
  })
}

async function openDynamic(data: Bytes, keys: readonly TrustedKey[]): Promise<GenuineCode | null> {
  const payload = await openSigned(data, keys, 'personal')
  const content = payload && readDynamic(payload)
  if (!content) return null
  return {
    kind: 'dynamic',
    number: hexOf(content.cti),
    oneTime: true,
    lives: [{ from: content.issuedAt, until: content.expiresAt, slackSeconds: SKEW_SECONDS }],
    colour: COLOURS[content.colour] ?? 'checking',
    credential: null,
    maskedName: content.name,
    lastDigits: content.digits,
    signedAt: content.issuedAt,
  }
}

async function openCard(data: Bytes, keys: readonly TrustedKey[]): Promise<GenuineCode | null> {
  const payload = await openSigned(data, keys, 'card')
  const content = payload && readCard(payload)
  if (!content) return null
  return {
    kind: 'card',
    number: hexOf(content.id.subarray(0, CTI_BYTES)),
    oneTime: false,
    lives: [{ from: content.issuedAt, until: content.expiresAt, slackSeconds: SKEW_SECONDS }],
    colour: null,
    credential: content.id,
    maskedName: content.name,
    lastDigits: content.digits,
    signedAt: content.issuedAt,
  }
}

interface Showing {
  readonly certificate: Bytes
  readonly time: Bytes
  readonly shownAt: number
  readonly signature: Bytes
}

function showingIn(data: Bytes): Showing | null {
  const end = data.length - TIME_BYTES - SIGNATURE_BYTES
  if (end <= 0) return null
  const time = data.slice(end, end + TIME_BYTES)
  const shownAt = new DataView(time.buffer).getUint32(0)
  return { certificate: data.slice(0, end), time, shownAt, signature: data.slice(-SIGNATURE_BYTES) }
}

async function showingNumber(id: Bytes, shownAt: number): Promise<string> {
  return hexOf((await sha256(concat(id, number32(shownAt)))).subarray(0, CTI_BYTES))
}

/** Two signatures: ours over the phone's key, and the phone's over the hash of all that and the time. */
async function openDevice(data: Bytes, keys: readonly TrustedKey[]): Promise<GenuineCode | null> {
  const showing = showingIn(data)
  const payload = showing && (await openSigned(showing.certificate, keys, 'device'))
  const content = payload && readCertificate(payload)
  if (!showing || !content?.publicKey) return null
  const point = decompress(content.publicKey)
  const key = point && (await keyOfPoint(point))
  const signed = concat(SHOWING, await sha256(showing.certificate), showing.time)
  if (!key || !(await isSignedBy(key, showing.signature, signed))) return null
  return {
    kind: 'device',
    number: await showingNumber(content.id, showing.shownAt),
    oneTime: true,
    lives: [
      { from: content.issuedAt, until: content.expiresAt, slackSeconds: SKEW_SECONDS },
      { from: showing.shownAt, until: showing.shownAt + SHOWN_LIFE_SECONDS, slackSeconds: PHONE_CLOCK_SECONDS },
    ],
    colour: null,
    credential: content.id,
    maskedName: content.name,
    lastDigits: content.digits,
    signedAt: content.issuedAt,
  }
}

const OPENERS = { dynamic: openDynamic, card: openCard, device: openDevice } as const

/**
 * What the code `text` says, if keys trusted for its kind signed it; null for everything else. Neither throws nor asks
 * for anything, whatever `text` holds. Whether it lives and was not used is for the caller.
 */
export async function openCode(text: string, keys: readonly TrustedKey[]): Promise<GenuineCode | null> {
  const kind = kindOf(text)
  const data = kind && fromBase45(text.slice(PREFIXES[kind].length))
  return kind && data ? OPENERS[kind](data, keys) : null
}

/**
 * The number of a code that this device cannot or need not verify: because the gate has, or because it keeps the code
 * for the gate. Null for what is not even built like one of ours. Nothing is verified here.
 */
export async function unverified(text: string): Promise<{ number: string; oneTime: boolean } | null> {
  const kind = kindOf(text)
  const data = kind && fromBase45(text.slice(PREFIXES[kind].length))
  if (!data) return null
  if (kind === 'device') {
    const showing = showingIn(data)
    const message = showing && takeApart(showing.certificate)
    const content = message && readCertificate(message.payload)
    return showing && content ? { number: await showingNumber(content.id, showing.shownAt), oneTime: true } : null
  }
  const message = takeApart(data)
  if (!message) return null
  if (kind === 'card') {
    const content = readCard(message.payload)
    return content && { number: hexOf(content.id.subarray(0, CTI_BYTES)), oneTime: false }
  }
  const content = readDynamic(message.payload)
  return content && { number: hexOf(content.cti), oneTime: true }
}
