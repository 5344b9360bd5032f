import type { Bytes } from './bytes'

/** One scan as it lies on the device: what was scanned is sealed, only its own number and its venue are not. */
export interface SealedScan {
  readonly id: string
  readonly venue: string
  readonly iv: Bytes
  readonly sealed: Bytes
}

/**
 * What a device keeps over a reload. Facts have names; scans keep their order. Every method rejects when the browser
 * refuses to keep anything.
 */
export interface DeviceStore {
  read(name: string): Promise<unknown>
  /** Writes all of `facts` or none. */
  write(facts: Readonly<Record<string, unknown>>): Promise<void>
  /** Adds a scan unless there are `most` already; whether it was added. */
  append(scan: SealedScan, most: number): Promise<boolean>
  /** The oldest scans of one venue. */
  oldest(venue: string, limit: number): Promise<readonly SealedScan[]>
  drop(ids: readonly string[]): Promise<void>
  /** How many scans of each venue there are. */
  counts(): Promise<ReadonlyMap<string, number>>
}

/** Keeps everything until the page is closed; for browsers that refuse more. */
export class MemoryStore implements DeviceStore {
  private readonly facts = new Map<string, unknown>()
  private scans: SealedScan[] = []

  async read(name: string): Promise<unknown> {
    return this.facts.get(name)
  }

  async write(facts: Readonly<Record<string, unknown>>): Promise<void> {
    for (const [name, value] of Object.entries(facts)) this.facts.set(name, value)
  }

  async append(scan: SealedScan, most: number): Promise<boolean> {
    if (this.scans.length >= most) return false
    this.scans.push(scan)
    return true
  }

  async oldest(venue: string, limit: number): Promise<readonly SealedScan[]> {
    return this.scans.filter((scan) => scan.venue === venue).slice(0, limit)
  }

  async drop(ids: readonly string[]): Promise<void> {
    this.scans = this.scans.filter((scan) => !ids.includes(scan.id))
  }

  async counts(): Promise<ReadonlyMap<string, number>> {
    return countsOf(this.scans.map((scan) => scan.venue))
  }
}

export function countsOf(venues: readonly string[]): ReadonlyMap<string, number> {
  const counts = new Map<string, number>()
  for (const venue of venues) counts.set(venue, (counts.get(venue) ?? 0) + 1)
  return counts
}
