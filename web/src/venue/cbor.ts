/** A value in the small part of CBOR (RFC 8949) that our posters use. */
export type Cbor = number | string | Uint8Array | readonly Cbor[] | ReadonlyMap<Cbor, Cbor>

const DEPTH_MAX = 4

class Cursor {
  at = 0
  constructor(readonly bytes: Uint8Array) {}

  take(count: number): Uint8Array {
    if (this.at + count > this.bytes.length) throw new RangeError('cbor ends early')
    this.at += count
    return this.bytes.subarray(this.at - count, this.at)
  }

  head(): { major: number; value: number } {
    const first = this.take(1)[0] ?? 0
    const low = first & 31
    if (low < 24) return { major: first >> 5, value: low }
    if (low > 26) throw new RangeError('cbor number too long')
    let value = 0
    for (const byte of this.take(2 ** (low - 24))) value = value * 256 + byte
    return { major: first >> 5, value }
  }
}

function read(cursor: Cursor, depth: number): Cbor {
  if (depth > DEPTH_MAX) throw new RangeError('cbor too deep')
  const { major, value } = cursor.head()
  if (major === 0) return value
  if (major === 1) return -1 - value
  if (major === 2) return cursor.take(value)
  if (major === 3) return new TextDecoder('utf-8', { fatal: true }).decode(cursor.take(value))
  if (major === 4) return Array.from({ length: bounded(value, cursor) }, () => read(cursor, depth + 1))
  if (major === 5) {
    const pairs = Array.from({ length: bounded(value, cursor) }, (): [Cbor, Cbor] => {
      const key = read(cursor, depth + 1)
      return [key, read(cursor, depth + 1)]
    })
    return new Map(pairs)
  }
  throw new RangeError('cbor kind not used here')
}

// Each item takes at least one byte, so a longer count is a lie.
function bounded(count: number, cursor: Cursor): number {
  if (count > cursor.bytes.length - cursor.at) throw new RangeError('cbor counts too much')
  return count
}

/** Decodes `bytes` whole. Throws RangeError or TypeError for anything else than one complete value. */
export function decodeCbor(bytes: Uint8Array): Cbor {
  const cursor = new Cursor(bytes)
  const value = read(cursor, 0)
  if (cursor.at !== bytes.length) throw new RangeError('cbor goes on after its end')
  return value
}
