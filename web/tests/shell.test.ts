import { describe, expect, it } from 'vitest'
import { cacheName, isReader, outdated, pageFor, shellFile, type Shell } from '../src/service-worker/shell'
import { isSetBack, raised } from '../src/clock/floor'

const shell: Shell = { version: 'b', files: { '/index.html': '1', '/panda.svg': '2', '/assets/phone-1a.js': '3' } }
const asked = (path: string, more: { method?: string; isNavigation?: boolean } = {}): string | null =>
  shellFile({ method: 'GET', path, isNavigation: false, ...more }, shell)

describe('the service worker', () => {
  it.each([
    ['/', '/index.html'],
    ['/code', '/index.html'],
    ['/v', '/index.html'],
    ['/consolation', '/index.html'],
    ['/console', '/console.html'],
    ['/console/check', '/console.html'],
    ['/robots.txt', null],
  ])('opens %s with the page that the origin would choose', (path, page) => {
    expect(pageFor(path)).toBe(page)
    expect(asked(path, { isNavigation: true })).toBe(page)
  })

  it.each(['/api/v1/me', '/gate/v1/code', '/gate/v1/lists/trust', '/feeds/lab'])('never answers %s', (path) => {
    expect(asked(path)).toBeNull()
    expect(asked(path, { isNavigation: true })).toBeNull()
  })

  it('answers for the files of the build, and for parts of the build before', () => {
    expect(asked('/panda.svg')).toBe('/panda.svg')
    expect(asked('/assets/phone-1a.js')).toBe('/assets/phone-1a.js')
    expect(asked('/assets/phone-0f.js')).toBe('/assets/phone-0f.js')
  })

  it('answers nothing that is sent, and nothing it does not know', () => {
    expect(asked('/panda.svg', { method: 'POST' })).toBeNull()
    expect(asked('/toString')).toBeNull()
    expect(asked('/code')).toBeNull()
  })

  it('keeps its build and the one before, and other people’s caches', () => {
    const names = [cacheName('old'), 'else', cacheName('a'), cacheName('b')]
    expect(outdated(names, cacheName('b'))).toEqual([cacheName('old')])
    expect(outdated([cacheName('b')], cacheName('b'))).toEqual([])
  })

  it('knows the reader, which not every browser needs', () => {
    expect([isReader('/assets/zxing_reader-1.wasm'), isReader('/assets/reader-1.js')]).toEqual([true, false])
  })
})

describe('the clock of a phone', () => {
  it('only goes on', () => {
    expect(raised(1000, 2000)).toBe(2000)
    expect(raised(2000, 1000)).toBe(2000)
  })

  it('is set back when it shows half a minute less than it did', () => {
    expect([isSetBack(70_000, 100_000), isSetBack(69_999, 100_000)]).toEqual([false, true])
    expect(isSetBack(5, 0)).toBe(false)
  })
})
