import decodeQR from 'qr/decode.js'
import { describe, expect, it } from 'vitest'
import { drawCode, pathOf } from '../src/code/symbol'

// 190 characters of the Base45 alphabet: what a personal code has.
const CODE = `HK1:${'ABCDEFGHIJ0123456789 $%*+-./:'.repeat(7).slice(0, 186)}`

/** Paints the path back into pixels, `scale` to a module. */
function paint(side: number, path: string, scale: number): { width: number; height: number; data: Uint8Array } {
  const width = side * scale
  const data = new Uint8Array(width * width * 4).fill(255)
  for (const [, x, y, length] of path.matchAll(/M(\d+) (\d+)h(\d+)/g)) {
    for (let row = Number(y) * scale; row < (Number(y) + 1) * scale; row += 1) {
      const first = (row * width + Number(x) * scale) * 4
      for (let at = first; at < first + Number(length) * scale * 4; at += 4) data.fill(0, at, at + 3)
    }
  }
  return { width, height: width, data }
}

describe('the symbol of a personal code', () => {
  it('is a version 6 symbol with its quiet zone', () => {
    expect(drawCode(CODE).side).toBe(41 + 8)
  })

  it('reads back as the same text', () => {
    const { side, path } = drawCode(CODE)
    expect(decodeQR(paint(side, path, 4))).toBe(CODE)
  })

  it('joins the dark modules of a row into runs', () => {
    expect(pathOf([[true, true, false, true]])).toBe('M0 0h2v1h-2zM3 0h1v1h-1z')
  })
})
