import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { connection, failOver, seekNow } from '../src/guard/connection'

describe('a look for the gate', () => {
  const looks: { fail: () => void; answer: () => void }[] = []

  beforeEach(() => {
    vi.useFakeTimers()
    vi.stubGlobal('fetch', () => {
      return new Promise<Response>((resolve, reject) => {
        looks.push({ fail: () => reject(new TypeError('cut')), answer: () => resolve(Response.json({ status: 'ok' })) })
      })
    })
  })

  afterEach(() => {
    vi.useRealTimers()
    vi.unstubAllGlobals()
  })

  it('that is asked for during another one, which may have begun too early, follows it at once', async () => {
    failOver()
    await vi.advanceTimersByTimeAsync(1000)
    expect(looks).toHaveLength(1)

    seekNow()
    looks[0]?.fail()
    await vi.advanceTimersByTimeAsync(0)

    expect(looks).toHaveLength(2)
    looks[1]?.answer()
    await vi.advanceTimersByTimeAsync(0)
    expect(connection.value).toBe('online')
  })
})
