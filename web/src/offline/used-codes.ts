// A camera reads the same code again while it is still in the picture.
const SAME_SCAN_SECONDS = 3
// A guard reads a code every two seconds at best, and a code of one use lives for 150 s with all clocks' slack: 75
// codes. A bus reads faster; beyond this many the oldest are forgotten, and the gate still tells them later.
export const USED_CODES_MAX = 2000

export interface UsedCode {
  readonly number: string
  readonly at: number
  readonly until: number
}

/** How a code comes before this device: for the first time, still in the same scan, or again. */
export type Use = 'first' | 'same_scan' | 'again'

/** Codes of one use that this device has seen, each until the end of its life. Bounded; the oldest go first. */
export class UsedCodes {
  private readonly seen = new Map<string, UsedCode>()

  constructor(kept: readonly UsedCode[] = []) {
    for (const code of kept.slice(-USED_CODES_MAX)) this.seen.set(code.number, code)
  }

  get kept(): readonly UsedCode[] {
    return [...this.seen.values()]
  }

  /** Notes that the code is held up at `now`, in seconds, and says which use it is. */
  use(number: string, until: number, now: number): Use {
    const first = this.seen.get(number)
    if (first) return now - first.at > SAME_SCAN_SECONDS ? 'again' : 'same_scan'
    for (const [old, code] of this.seen) {
      if (code.until > now && this.seen.size < USED_CODES_MAX) break
      this.seen.delete(old)
    }
    this.seen.set(number, { number, at: now, until })
    return 'first'
  }
}
