// How every loop of requests waits. One place, because a storm of retries is made of loops that each seemed harmless.

const FIRST_MILLISECONDS = 1000
// A minute: with the network back the browser says so and nobody waits; with the server back, half the phones are
// there within 30 s, and ten million phones that wait this long send 330,000 requests a second less than at one second.
const MOST_MILLISECONDS = 60_000
// A loop whose dice fall on nothing must still not spin.
const LEAST_MILLISECONDS = 250
// A server, or something posing as one, must not silence a phone for longer.
const RETRY_AFTER_MILLISECONDS_MAX = 300_000

export type Random = () => number

/**
 * How long to wait after the `failures`-th failure in a row (1 or more). The window doubles from a second to a minute
 * and the wait is anywhere in it (full jitter), so that phones that failed together do not come back together. What the
 * server asked for with Retry-After is waited in full, and the window comes on top of it.
 */
export function backoffMilliseconds(
  failures: number,
  retryAfterSeconds: number | null = null,
  random: Random = Math.random,
): number {
  const window = Math.min(MOST_MILLISECONDS, FIRST_MILLISECONDS * 2 ** Math.min(failures - 1, 16))
  const asked = Math.min(RETRY_AFTER_MILLISECONDS_MAX, Math.max(0, (retryAfterSeconds ?? 0) * 1000))
  return asked + LEAST_MILLISECONDS + random() * (window - LEAST_MILLISECONDS)
}

/** `milliseconds`, up to `either` more or less, never below zero: for what all phones would do at the same time. */
export function spread(milliseconds: number, either: number, random: Random = Math.random): number {
  return Math.max(0, milliseconds + (2 * random() - 1) * either)
}

/** The seconds in a Retry-After header, which may also hold a date (RFC 9110); null for none or what is neither. */
export function retryAfterSecondsOf(header: string | null, nowMilliseconds: number): number | null {
  if (header === null) return null
  if (/^\d{1,9}$/.test(header.trim())) return Number(header)
  const at = Date.parse(header)
  return Number.isNaN(at) ? null : Math.max(0, Math.ceil((at - nowMilliseconds) / 1000))
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
