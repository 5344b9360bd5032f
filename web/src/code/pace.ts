const FIRST_MILLISECONDS = 1000
const MOST_MILLISECONDS = 20_000

/**
 * How long to wait after the `failures`-th failure in a row (1 or more): doubling from a second to twenty, and anywhere
 * between half of that and the whole, so that a million phones do not come back together.
 */
export function backoffMilliseconds(failures: number, random: () => number = Math.random): number {
  const whole = Math.min(MOST_MILLISECONDS, FIRST_MILLISECONDS * 2 ** (failures - 1))
  return whole * (0.5 + random() / 2)
}

/** Resolves after `milliseconds`, or at once when `signal` fires; never rejects. */
export function pause(milliseconds: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) {
      resolve()
      return
    }
    const timer = setTimeout(resolve, milliseconds)
    signal.addEventListener('abort', () => (clearTimeout(timer), resolve()), { once: true })
  })
}
