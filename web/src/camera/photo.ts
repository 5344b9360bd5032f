import { prepareReader } from './reader'

// Larger photos are shrunk: a code that fills a tenth of the picture is still 160 pixels wide.
const PHOTO_SIDE_MAX = 1600

/** The first QR code in a photo; null when there is none. Rejects for a file that is no picture. */
export async function readPhoto(file: File): Promise<string | null> {
  const picture = await createImageBitmap(file)
  const scale = Math.min(1, PHOTO_SIDE_MAX / Math.max(picture.width, picture.height))
  const canvas = document.createElement('canvas')
  canvas.width = Math.round(picture.width * scale)
  canvas.height = Math.round(picture.height * scale)
  const context = canvas.getContext('2d', { willReadFrequently: true })
  if (!context) return null
  context.drawImage(picture, 0, 0, canvas.width, canvas.height)
  picture.close()
  const reader = await prepareReader()
  return (await reader.read(canvas, context))[0] ?? null
}
