import { describe, expect, it } from 'vitest'
import { correctionFor } from '../src/clock/server-clock'
import { bandOf } from '../src/code/test-band'
import { decidegreesOf } from '../src/phone/declaration'
import { citiesOf } from '../src/venue/divisions'

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
