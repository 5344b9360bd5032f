import { describe, expect, it } from 'vitest'
import { backoffMilliseconds, pause, retryAfterSecondsOf, spread } from '../src/api/backoff'

const highest = (): number => 1
const lowest = (): number => 0

describe('waiting after failures', () => {
  it('has a window that doubles from a second to a minute', () => {
    const whole = [1, 2, 3, 6, 7, 20, 4000].map((failures) => backoffMilliseconds(failures, null, highest))
    expect(whole).toEqual([1000, 2000, 4000, 32_000, 60_000, 60_000, 60_000])
  })

  it('falls anywhere in the window, so that phones that failed together do not return together', () => {
    expect(backoffMilliseconds(7, null, lowest)).toBe(250)
    expect(backoffMilliseconds(7, null, () => 0.5)).toBe(30_125)
  })

  it('waits in full what the server asked for, and its share of the window on top', () => {
    expect(backoffMilliseconds(1, 30, lowest)).toBe(30_250)
    expect(backoffMilliseconds(3, 30, highest)).toBe(34_000)
  })

  it('is not silenced for longer than five minutes', () => {
    expect(backoffMilliseconds(1, 86_400, highest)).toBe(301_000)
    expect(backoffMilliseconds(1, -5, lowest)).toBe(250)
  })

  it('ends at once when it is stopped', async () => {
    const stop = new AbortController()
    const waiting = pause(60_000, stop.signal)
    stop.abort()
    await expect(waiting).resolves.toBeUndefined()
  })

  it('leaves a gate that failed a thousand phones at most a sixtieth of them a second later on', () => {
    let seed = 1
    const random = (): number => (seed = (seed * 48_271) % 2_147_483_647) / 2_147_483_647
    const seconds = Array.from({ length: 60 }, () => 0)
    for (let phone = 0; phone < 60_000; phone += 1) {
      const second = Math.floor(backoffMilliseconds(8, null, random) / 1000)
      seconds[second] = (seconds[second] ?? 0) + 1
    }
    expect(Math.max(...seconds)).toBeLessThan(1200)
  })
})

describe('what everyone would do at the same time', () => {
  it('is spread either way and never before now', () => {
    expect([spread(60_000, 10_000, lowest), spread(60_000, 10_000, highest)]).toEqual([50_000, 70_000])
    expect(spread(1000, 10_000, lowest)).toBe(0)
  })
})

describe('a Retry-After header', () => {
  const now = Date.UTC(2022, 2, 1, 4, 0, 0)

  it.each([
    ['7', 7],
    [' 30 ', 30],
    ['Tue, 01 Mar 2022 04:00:20 GMT', 20],
    ['Tue, 01 Mar 2022 03:00:00 GMT', 0],
    ['soon', null],
    ['', null],
    [null, null],
  ])('of %s asks for %s seconds', (header, seconds) => {
    expect(retryAfterSecondsOf(header, now)).toBe(seconds)
  })
})
