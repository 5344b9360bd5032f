import { describe, expect, it } from 'vitest'
import { correctionFor } from '../src/clock/server-clock'
import { backoffMilliseconds, pause } from '../src/code/pace'
import { bandOf } from '../src/code/test-band'
import { decidegreesOf } from '../src/phone/declaration'
import { citiesOf } from '../src/venue/divisions'

describe('waiting after failures', () => {
  it('doubles up to twenty seconds', () => {
    const whole = [1, 2, 3, 5, 6, 20].map((failures) => backoffMilliseconds(failures, () => 1))
    expect(whole).toEqual([1000, 2000, 4000, 16_000, 20_000, 20_000])
  })

  it('spreads over half of the time, so that phones do not return together', () => {
    expect(backoffMilliseconds(3, () => 0)).toBe(2000)
  })

  it('ends at once when it is stopped', async () => {
    const stop = new AbortController()
    const waiting = pause(60_000, stop.signal)
    stop.abort()
    await expect(waiting).resolves.toBeUndefined()
  })
})

describe('the server clock', () => {
  it('leaves a good phone clock alone', () => {
    expect(correctionFor(1000, 1_000_400, 1_000_600)).toBe(0)
  })

  it('corrects a clock that is minutes off', () => {
    expect(correctionFor(1000, 700_000, 700_200)).toBe(300_400)
  })
})

describe('the band of a test', () => {
  it.each([
    [0, 24],
    [23, 24],
    [24, 48],
    [47, 48],
    [71, 72],
    [72, null],
  ])('after %i hours is %s', (hours, band) => {
    expect(bandOf(hours)).toBe(band)
  })
})

describe('a declared temperature', () => {
  it.each([
    ['36.5', 365],
    ['37', 370],
    ['36,6', 366],
    ['', null],
    ['365', undefined],
    ['20', undefined],
    ['warm', undefined],
  ])('of "%s" is %s', (text, decidegrees) => {
    expect(decidegreesOf(text)).toBe(decidegrees)
  })
})

describe('divisions', () => {
  it('become cities with their counties', () => {
    const flat = ['510000', '510100', '510104', '511900', '511902'].map((code) => ({ code, name: code }))
    const cities = citiesOf(flat).map((city) => [city.code, city.counties.map((county) => county.code)])
    expect(cities).toEqual([
      ['510100', ['510104']],
      ['511900', ['511902']],
    ])
  })
})
