// The latest time this phone has seen. Time only goes on, so a clock that shows less was set back, and whatever it says
// of codes and their lives is not to be believed.

// A clock that is put right by a little is no clock set back; scanners allow as much.
const TOLERANCE_MILLISECONDS = 30_000

export function isSetBack(now: number, floor: number): boolean {
  return now < floor - TOLERANCE_MILLISECONDS
}

/** The floor after `now` was seen. */
export function raised(floor: number, now: number): number {
  return Math.max(floor, now)
}
