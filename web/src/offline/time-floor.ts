import { SKEW_SECONDS } from './codes'

// What the gate says outside a signature counts, but never further ahead of what it signed than this: one wrong answer
// must not make a device useless for years.
const UNSIGNED_AHEAD_SECONDS_MAX = 86_400
// How far the device's clock may fall behind the time that passed since it was last heard to be right.
const BEHIND_SECONDS_MAX = 30

/**
 * A device's sense that its clock was set back. `floor` is the latest instant that is known to have passed, in seconds
 * since 1970; it only rises and outlives the page. Within a page a clock that nobody can set says besides how much time
 * has passed at least.
 */
export class TimeFloor {
  private signed: number
  private latest: number
  private started: { readonly wall: number; readonly steady: number } | null = null

  constructor(floor = 0) {
    this.signed = floor
    this.latest = floor
  }

  get floor(): number {
    return this.latest
  }

  /** An instant in something that we signed and that was verified. Whether the floor rose. */
  noteSigned(seconds: number): boolean {
    if (seconds > this.signed) this.signed = seconds
    return this.raise(seconds)
  }

  /** The gate's own word, over its connection. `wall` is the corrected clock, `steady` the one nobody can set. */
  noteServer(seconds: number, wall: number, steady: number): boolean {
    this.started = { wall, steady }
    return this.raise(Math.min(seconds, this.signed + UNSIGNED_AHEAD_SECONDS_MAX))
  }

  /** Whether `wall`, in seconds, cannot be true. */
  isSetBack(wall: number, steady: number): boolean {
    if (wall < this.latest - SKEW_SECONDS) return true
    this.started ??= { wall, steady }
    return wall < this.started.wall + (steady - this.started.steady) - BEHIND_SECONDS_MAX
  }

  private raise(seconds: number): boolean {
    if (seconds <= this.latest) return false
    this.latest = seconds
    return true
  }
}
