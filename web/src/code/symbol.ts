import encodeQR from 'qr'

/** Light modules around a symbol that the standard asks for. */
export const QUIET_MODULES = 4

/** A QR symbol as one SVG path on a grid of `side` × `side` modules, quiet zone included. */
export interface Symbol {
  readonly side: number
  readonly path: string
}

/** Joins the dark modules of each row into runs, so that the path stays short and no seams show between modules. */
export function pathOf(modules: readonly (readonly boolean[])[]): string {
  const steps: string[] = []
  modules.forEach((row, y) => {
    let x = 0
    while (x < row.length) {
      if (!row[x]) {
        x += 1
        continue
      }
      let length = 1
      while (row[x + length]) length += 1
      steps.push(`M${x} ${y}h${length}v1h-${length}z`)
      x += length
    }
  })
  return steps.join('')
}

/**
 * The symbol of a personal or device-bound code. Their texts use the 45 characters of alphanumeric mode, which keeps
 * `HK1:` at version 6 and `HK3:` at 9 or 10; level L because a screen is never dirty and fewer modules are read from
 * further away.
 */
export function drawCode(text: string): Symbol {
  const modules = encodeQR(text, 'raw', { ecc: 'low', encoding: 'alphanumeric', border: QUIET_MODULES })
  return { side: modules.length, path: pathOf(modules) }
}
