import wasmAddress from 'zxing-wasm/reader/zxing_reader.wasm?url'

/** Finds the texts of the QR codes in a picture. */
export interface QrReader {
  read(picture: HTMLCanvasElement, context: CanvasRenderingContext2D): Promise<string[]>
}

interface NativeDetector {
  detect(source: CanvasImageSource): Promise<{ rawValue: string }[]>
}
interface NativeDetectorMaker {
  new (options: { formats: string[] }): NativeDetector
  getSupportedFormats(): Promise<string[]>
}

async function nativeReader(): Promise<QrReader | null> {
  const maker = (globalThis as { BarcodeDetector?: NativeDetectorMaker }).BarcodeDetector
  if (!maker) return null
  const formats = await maker.getSupportedFormats().catch((): string[] => [])
  if (!formats.includes('qr_code')) return null
  const detector = new maker({ formats: ['qr_code'] })
  return { read: async (picture) => (await detector.detect(picture)).map((found) => found.rawValue) }
}

async function wasmReader(): Promise<QrReader> {
  const { prepareZXingModule, readBarcodes } = await import('zxing-wasm/reader')
  // Served from our own origin: the library would otherwise ask a public network for its binary.
  await prepareZXingModule({ overrides: { locateFile: () => wasmAddress }, fireImmediately: true })
  return {
    read: async (picture, context) => {
      const frame = context.getImageData(0, 0, picture.width, picture.height)
      const found = await readBarcodes(frame, { formats: ['QRCode'], maxNumberOfSymbols: 2 })
      return found.filter((symbol) => symbol.isValid).map((symbol) => symbol.text)
    },
  }
}

let prepared: Promise<QrReader> | null = null

/** The browser's own detector where it reads QR codes, otherwise zxing in WebAssembly, loaded once. */
export function prepareReader(): Promise<QrReader> {
  prepared ??= nativeReader()
    .then((native) => native ?? wasmReader())
    .catch((error: unknown) => {
      prepared = null
      throw error
    })
  return prepared
}
