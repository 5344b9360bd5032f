import { ascii, hexOf, type Bytes } from './bytes'
import type { DeviceStore, SealedScan } from './store'

// A guard checks at most one visitor every two seconds: 5,000 are almost three hours without a pause, and 3 MB.
export const SCANS_MAX = 5000
// Said before it is full, while there is time to find a network.
export const SCANS_WARNING = 4000

// What the gate takes in one request (docs/formats.md): 100 items, 64 KiB.
const ITEMS_MAX = 100
const BODY_CHARACTERS_MAX = 60_000
const ID_BYTES = 8
const IV_BYTES = 12
const KEY = 'scan-key'

/** A code held up at `scannedAt` (milliseconds since 1970). `id` names the scan, so that sending it twice is harmless. */
export interface KeptScan {
  readonly id: string
  readonly code: string
  readonly scannedAt: number
}

/** What became of keeping a scan: `full` and `failed` are told to the guard. */
export type Keeping = 'kept' | 'full' | 'failed'

/**
 * Scans that wait to be sent, sealed (AES-256-GCM) under a key that no script can read out. Bounded: a full queue takes
 * nothing more and drops nothing.
 */
export class ScanQueue {
  private constructor(
    private readonly store: DeviceStore,
    private readonly key: CryptoKey,
  ) {}

  /** Opens the queue with the device's own key, made at its first use. Rejects when nothing can be kept. */
  static async open(store: DeviceStore): Promise<ScanQueue> {
    let key = (await store.read(KEY)) as CryptoKey | undefined
    if (!key) {
      key = await crypto.subtle.generateKey({ name: 'AES-GCM', length: 256 }, false, ['encrypt', 'decrypt'])
      await store.write({ [KEY]: key })
    }
    return new ScanQueue(store, key)
  }

  async add(code: string, scannedAt: number, venue: string): Promise<Keeping> {
    const id = hexOf(crypto.getRandomValues(new Uint8Array(ID_BYTES)))
    const iv = crypto.getRandomValues(new Uint8Array(IV_BYTES))
    const plain = new TextEncoder().encode(JSON.stringify({ code, scannedAt }))
    try {
      const sealed = new Uint8Array(await crypto.subtle.encrypt(this.algorithm(iv, id, venue), this.key, plain))
      return (await this.store.append({ id, venue, iv, sealed }, SCANS_MAX)) ? 'kept' : 'full'
    } catch {
      return 'failed'
    }
  }

  /** The oldest scans of a venue, as many as one request takes, and the ids of those that cannot be opened any more. */
  async nextOf(venue: string): Promise<{ scans: readonly KeptScan[]; broken: readonly string[] }> {
    const scans: KeptScan[] = []
    const broken: string[] = []
    let characters = 0
    for (const sealed of await this.store.oldest(venue, ITEMS_MAX)) {
      const scan = await this.open(sealed)
      if (!scan) {
        broken.push(sealed.id)
        continue
      }
      characters += JSON.stringify(scan).length
      if (characters > BODY_CHARACTERS_MAX) break
      scans.push(scan)
    }
    return { scans, broken }
  }

  drop(ids: readonly string[]): Promise<void> {
    return this.store.drop(ids)
  }

  counts(): Promise<ReadonlyMap<string, number>> {
    return this.store.counts()
  }

  private async open({ id, venue, iv, sealed }: SealedScan): Promise<KeptScan | null> {
    try {
      const plain = await crypto.subtle.decrypt(this.algorithm(iv, id, venue), this.key, sealed)
      const { code, scannedAt } = JSON.parse(new TextDecoder().decode(plain)) as Omit<KeptScan, 'id'>
      return { id, code, scannedAt }
    } catch {
      return null
    }
  }

  // A scan cannot be moved to another venue or given another number.
  private algorithm(iv: Bytes, id: string, venue: string): AesGcmParams {
    return { name: 'AES-GCM', iv, additionalData: ascii(`tianfu scan 1 ${id} ${encodeURIComponent(venue)}`) }
  }
}
