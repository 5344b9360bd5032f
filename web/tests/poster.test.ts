import { describe, expect, it } from 'vitest'
import { newNonce, readPoster } from '../src/venue/poster'

const ORIGIN = 'http://localhost:8000'

/** An unsigned look-alike of a poster: the browser reads names, the gate checks signatures. */
function poster(name: string): string {
  const text = new TextEncoder().encode(name)
  const payload = [0x85, 0x50, ...Array<number>(16).fill(7), 1, 0x66, ...new TextEncoder().encode('510105')]
  payload.push(0x67, ...new TextEncoder().encode('tourism'), 0x60 + text.length, ...text)
  const signed = [0x84, 0x43, 0xa1, 1, 0x26, 0xa0, 0x58, payload.length, ...payload, 0x58, 64, ...Array<number>(64).fill(9)]
  const base64 = btoa(String.fromCharCode(...signed))
  return `${ORIGIN}/v#${base64.replaceAll('+', '-').replaceAll('/', '_').replaceAll('=', '')}`
}

/** The same of a vehicle's code. */
function vehicle(plate: string, operator: string): string {
  const [plateBytes, operatorBytes] = [plate, operator].map((text) => new TextEncoder().encode(text))
  const payload = [0x85, 0x50, ...Array<number>(16).fill(7), 1, 0x64, ...new TextEncoder().encode('taxi')]
  payload.push(0x60 + plateBytes!.length, ...plateBytes!, 0x60 + operatorBytes!.length, ...operatorBytes!)
  const signed = [0x84, 0x43, 0xa1, 1, 0x26, 0xa0, 0x58, payload.length, ...payload, 0x58, 64, ...Array<number>(64).fill(9)]
  const base64 = btoa(String.fromCharCode(...signed))
  return `${ORIGIN}/t#${base64.replaceAll('+', '-').replaceAll('/', '_').replaceAll('=', '')}`
}

describe('reading a poster', () => {
  it('gives the name, category and district it carries', () => {
    expect(readPoster(` ${poster('文殊院')}\n`, ORIGIN)).toMatchObject({
      name: '文殊院',
      category: 'tourism',
      district: '510105',
    })
  })

  it('gives the plate and the operator of a vehicle as its name', () => {
    expect(readPoster(vehicle('川A·T1234', '示例出租'), ORIGIN)).toMatchObject({
      name: '川A·T1234 示例出租',
      category: 'transport',
    })
    expect(readPoster(poster('文殊院').replace('/v#', '/t#'), ORIGIN)?.name).not.toBe('文殊院')
  })

  it.each([
    ['another site', poster('x').replace('localhost', 'localhost.example')],
    ['another path', poster('x').replace('/v#', '/w#')],
    ['a link', 'https://example.com/'],
    ['a script', 'javascript:alert(1)'],
    ['a cut poster', poster('x').slice(0, 60)],
    ['bytes after the end', `${poster('x')}AAAA`],
    ['a very long text', poster('x') + 'A'.repeat(2000)],
    ['a count that lies', `${ORIGIN}/v#ml____8A`],
    ['nothing', ''],
  ])('refuses %s', (_what, text) => {
    expect(readPoster(text, ORIGIN)).toBeNull()
  })

  it('names each visit by eight random bytes', () => {
    expect(newNonce()).toMatch(/^[\da-f]{16}$/)
    expect(newNonce()).not.toBe(newNonce())
  })
})
