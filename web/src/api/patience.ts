const KEY = 'tianfu.patience'
// Also the most that a wrong entry, or a clock that was set back, can cost.
const PATIENCE_MILLISECONDS_MAX = 300_000

/** Remembers for this tab, over a reload, that nothing is to be asked by itself for `milliseconds`. */
export function bePatient(milliseconds: number, now: number): void {
  try {
    sessionStorage.setItem(KEY, String(now + Math.min(milliseconds, PATIENCE_MILLISECONDS_MAX)))
  } catch {
    // Then a reload asks once more.
  }
}

/** How long that still is; 0 when nothing was asked for, or it is over. */
export function patienceLeft(now: number): number {
  try {
    const left = Number(sessionStorage.getItem(KEY) ?? 0) - now
    return left > 0 && left <= PATIENCE_MILLISECONDS_MAX ? left : 0
  } catch {
    return 0
  }
}

export function endPatience(): void {
  try {
    sessionStorage.removeItem(KEY)
  } catch {
    // Nothing was kept.
  }
}
