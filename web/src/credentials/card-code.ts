import { decodeBase45 } from '../code/base45'
import { decodeCbor } from '../venue/cbor'

const PREFIX = 'HK2:'
// The longest that a card can be is below 300 characters.
const CARD_CHARACTERS_MAX = 400

/** What a printed card says, read and not verified. Instants are seconds. */
export interface CardText {
  readonly expiresAt: number
  readonly issuedAt: number
  readonly maskedName: string
}

/** The card in `text`; null for anything else. */
export function readCard(text: string): CardText | null {
  if (!text.startsWith(PREFIX) || text.length > CARD_CHARACTERS_MAX) return null
  const bytes = decodeBase45(text.slice(PREFIX.length))
  if (!bytes) return null
  try {
    const envelope = decodeCbor(bytes)
    const payload = Array.isArray(envelope) && envelope.length === 4 ? envelope[2] : null
    const fields = payload instanceof Uint8Array ? decodeCbor(payload) : null
    if (!Array.isArray(fields) || fields.length !== 7) return null
    // [exp, iat, credential id, generation, kind, masked name, last digits]
    const [expiresAt, issuedAt, , , , maskedName] = fields
    if (typeof expiresAt !== 'number' || typeof issuedAt !== 'number' || typeof maskedName !== 'string') return null
    return { expiresAt, issuedAt, maskedName }
  } catch {
    return null
  }
}
