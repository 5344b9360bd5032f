import type { Bytes } from './bytes'

/** What is not the one encoding that signed messages have. Never leaves the readers of this folder. */
export class NotExactError extends Error {}

const NUMBER = 0
const BYTES = 2
const TEXT = 3
const ARRAY = 4
// The length of the field after the first byte, and the least value that needs it: a smaller one has a shorter form.
const FORMS = new Map([
  [24, { width: 1, least: 24 }],
  [25, { width: 2, least: 0x100 }],
  [26, { width: 4, least: 0x1_0000 }],
])

/**
 * Reads the four kinds of CBOR item that signed messages are made of, each in its shortest form and no other (RFC 8949,
 * 4.2), one after another. Every method throws `NotExactError` for anything else.
 */
export class ExactCbor {
  private at = 0

  constructor(private readonly bytes: Bytes) {}

  number(most = 0xffff_ffff): number {
    const value = this.head(NUMBER)
    if (value > most) throw new NotExactError()
    return value
  }

  /** Seconds since 1970, always in the form of 32 bits: below 65,536 the shortest form would be another. */
  instant(): number {
    const value = this.head(NUMBER)
    if (value < 0x1_0000) throw new NotExactError()
    return value
  }

  byteString(least: number, most: number): Bytes {
    return this.take(this.lengthOf(BYTES, least, most))
  }

  /** Text of at most `most` bytes of UTF-8. */
  text(most: number): string {
    const bytes = this.take(this.lengthOf(TEXT, 0, most))
    try {
      return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes)
    } catch {
      throw new NotExactError()
    }
  }

  /** How many items follow. */
  array(most: number): number {
    return this.lengthOf(ARRAY, 0, most)
  }

  /** Nothing may follow. */
  end(): void {
    if (this.at !== this.bytes.length) throw new NotExactError()
  }

  private lengthOf(kind: number, least: number, most: number): number {
    const length = this.head(kind)
    if (length < least || length > most) throw new NotExactError()
    return length
  }

  private take(count: number): Bytes {
    if (this.at + count > this.bytes.length) throw new NotExactError()
    this.at += count
    return this.bytes.subarray(this.at - count, this.at)
  }

  private head(kind: number): number {
    const first = this.take(1)[0] ?? 0
    if (first >> 5 !== kind) throw new NotExactError()
    const minor = first & 31
    if (minor < 24) return minor
    const form = FORMS.get(minor)
    if (!form) throw new NotExactError()
    let value = 0
    for (const byte of this.take(form.width)) value = value * 256 + byte
    if (value < form.least) throw new NotExactError()
    return value
  }
}
