// A6 (105 × 148 mm) at 300 dots an inch, as printers have.
const WIDTH = 1240
const HEIGHT = 1748

/** `svg` as an address for pictures; give it to URL.revokeObjectURL when it is no longer shown. */
export function drawingAddress(svg: string): string {
  return URL.createObjectURL(new Blob([svg], { type: 'image/svg+xml' }))
}

/** The drawing at `address` as a PNG of an A6 sheet. Rejects where the browser cannot make one. */
export async function pictureOf(address: string): Promise<Blob> {
  const image = new Image(WIDTH, HEIGHT)
  image.src = address
  await image.decode()
  const canvas = document.createElement('canvas')
  canvas.width = WIDTH
  canvas.height = HEIGHT
  const context = canvas.getContext('2d')
  if (!context) throw new Error('no canvas')
  context.fillStyle = 'white'
  context.fillRect(0, 0, WIDTH, HEIGHT)
  context.drawImage(image, 0, 0, WIDTH, HEIGHT)
  return new Promise((resolve, reject) => {
    canvas.toBlob((blob) => (blob ? resolve(blob) : reject(new Error('no picture'))), 'image/png')
  })
}

/** Has the browser save what is at `address` as a file called `name`. */
export function save(address: string, name: string): void {
  const link = document.createElement('a')
  link.href = address
  link.download = name
  link.click()
}
