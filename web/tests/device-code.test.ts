import { describe, expect, it } from 'vitest'
import { decodeBase45 } from '../src/code/base45'
import { decodeBase64url, encodeBase64url } from '../src/code/base64url'
import { drawCode } from '../src/code/symbol'
import { renewalDue } from '../src/credentials/device'
import {
  compressPoint,
  CURVE,
  deviceMessage,
  present,
  presentationText,
  readCertificate,
} from '../src/credentials/device-code'
import { readCard } from '../src/credentials/card-code'
import { isUsable } from '../src/credentials/use-device-code'

const bytesOf = (hex: string): Uint8Array<ArrayBuffer> =>
  Uint8Array.from(hex.match(/../g) ?? [], (pair) => Number.parseInt(pair, 16))
const hexOf = (bytes: Uint8Array): string => Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('')

// The published key of RFC 6979, A.2.5, both as the phone's and as the one that certifies it; made by the gate's code.
const X = '60fed4ba255a9d31c961eb74c6356d68c049b8923b61fa6ce669622e60f29fb6'
const Y = '7903fe1008b8bc99a41ae9e95628bc64f2f1b20c2d7e9f5177a3c294d4462299'
const SECRET = 'c9afa9d845ba75166b5c215767b1d6934e50c3db36e89b127b8a622b120f6721'
const CERTIFICATE = bytesOf(
  '8449a201260444b18b86cea0584d871a621eebc01a621d9a4050000102030405060708090a0b0c0d0e0f58210360fed4ba255a9d31c961eb74' +
    'c6356d68c049b8923b61fa6ce669622e60f29fb607672ae5b08fe6988e64343331585840892c9c667edb37938639c6338176f1073ea9c970' +
    '1c697ea46c59591e8027d91a6de922bedaf5f22673157588b4d32df92ba93d5622a33d1aba16f408ee21fdfd',
)
const SHOWN_AT = 1_646_108_000
const MESSAGE =
  '7469616e66752064657669636520636f64652031ca557b9163cf176a255179850567ce8b845522c66858b745931901bb4ee64d56621d9d60'
const SIGNATURE = bytesOf(
  '01f8a53298cd0860760ba65d7cb899447c29b39e3708643cca774c79618e4d1a6f57d5e5d43b39a08b4ca965192733ac690945983601b6a8df763a3ef7a0819b',
)
const TEXT =
  'HK3:PWGSLKC 4ZU8XSHL5QF7BQ3H8IC7 T4F3IX3*58100KB0*M0DY0W016C1PN1:Y1G6B9J0V9W/NNMKBAD62HCEYE.X6-ADHE9+LIHHCNYDNED$%5BUUO0N+1DU1TS8I*CJ2UCAL6Q7B678ZS53/C4WRBTIUD70N6T1F9-0+KLZ7E6FDHZKDDBN%3V15FF3CLTX5O74VX%43W2VCHGVQMMVZHL0+ATSK2H3Q+2 51GD4L1WLX376CNJV$H6I-PY8CCL1$ B7FNRT8AC530KX21$U7U3FNFFO:HHF3U4BL2T-L7EDK5V96ZC0/4$ZLX71-AJX90VFLQ.E9/74DKK3'
const CARD =
  'HK2:PWGSLKC 4ZU8XSHL5QQ6BQ3HGICE+Q4F3IX3*58100KB0*M0DY0W016C1PN1:Y13H0+1DU1TS8I*CJ2UCAL6Q7BW88OB8J Q1$G-JOU3V$O0O 8.CO-L7T0H6 2$JM8YKU/CM4B1ADH1F6AK.51.SL/EAQMP/OPSNBOGSSJDOM2$TULHI99EICLD0'

async function testKeys(): Promise<{ sign: CryptoKey; verify: CryptoKey }> {
  const point = { kty: 'EC', crv: 'P-256', x: encodeBase64url(bytesOf(X)), y: encodeBase64url(bytesOf(Y)) }
  const secret = { ...point, d: encodeBase64url(bytesOf(SECRET)) }
  return {
    sign: await crypto.subtle.importKey('jwk', secret, CURVE, false, ['sign']),
    verify: await crypto.subtle.importKey('jwk', point, CURVE, true, ['verify']),
  }
}

describe('the device-bound code', () => {
  it('signs the bytes that the gate expects', async () => {
    expect(hexOf(await deviceMessage(CERTIFICATE, SHOWN_AT))).toBe(MESSAGE)
  })

  it('is the text that the gate makes of the same parts', () => {
    expect(presentationText(CERTIFICATE, SHOWN_AT, SIGNATURE)).toBe(TEXT)
  })

  it('is certificate, time and a signature by the key in the certificate', async () => {
    const { sign, verify } = await testKeys()
    const text = await present(sign, CERTIFICATE, SHOWN_AT + 60)
    const bytes = decodeBase45(text.slice(4)) as Uint8Array<ArrayBuffer>
    expect(hexOf(bytes.slice(0, CERTIFICATE.length))).toBe(hexOf(CERTIFICATE))
    expect(hexOf(bytes.slice(CERTIFICATE.length, CERTIFICATE.length + 4))).toBe((SHOWN_AT + 60).toString(16))
    const signed = await deviceMessage(CERTIFICATE, SHOWN_AT + 60)
    const algorithm = { name: 'ECDSA', hash: 'SHA-256' }
    expect(await crypto.subtle.verify(algorithm, verify, bytes.slice(-64), signed)).toBe(true)
    const another = await deviceMessage(CERTIFICATE, SHOWN_AT + 61)
    expect(await crypto.subtle.verify(algorithm, verify, bytes.slice(-64), another)).toBe(false)
  })

  it('refuses a signature of another form', () => {
    expect(() => presentationText(CERTIFICATE, SHOWN_AT, SIGNATURE.slice(1))).toThrow(RangeError)
  })

  it('is still a symbol that a camera reads from a screen', () => {
    // Version 11 at most (61 modules), and the quiet zone.
    expect(drawCode(TEXT).side).toBeLessThanOrEqual(61 + 8)
  })
})

describe('a public key', () => {
  it('is sent as whether y is odd, and x', async () => {
    const point = new Uint8Array(await crypto.subtle.exportKey('raw', (await testKeys()).verify))
    expect(hexOf(compressPoint(point))).toBe(`03${X}`)
  })

  it('with an even y begins with 2', () => {
    expect(compressPoint(bytesOf(`04${X}${Y.slice(0, -2)}98`))[0]).toBe(2)
  })

  it.each([['', `03${X}`], ['00', `00${X}${Y}`], ['04', `04${X}`]])('that is no point (%s…) is refused', (_head, hex) => {
    expect(() => compressPoint(bytesOf(hex))).toThrow(RangeError)
  })
})

describe('a certificate', () => {
  const certificate = readCertificate(CERTIFICATE)

  it('tells its life and its masks', () => {
    expect(certificate).toMatchObject({
      expiresAt: 1_646_193_600,
      issuedAt: 1_646_107_200,
      maskedName: '*小明',
      lastDigits: '431X',
    })
  })

  it.each([
    ['cut short', CERTIFICATE.slice(0, 60)],
    ['followed by more', bytesOf(`${hexOf(CERTIFICATE)}00`)],
    ['empty', new Uint8Array()],
    ['a code of another kind', decodeBase45(CARD.slice(4))?.slice(1) as Uint8Array<ArrayBuffer>],
  ])('%s is none', (_what, bytes) => {
    expect(readCertificate(bytes)).toBeNull()
  })

  it('is renewed at half of its life, and asked for at once where there is none', () => {
    expect(renewalDue(certificate)).toBe((1_646_107_200 + 43_200) * 1000)
    expect(renewalDue(null)).toBe(0)
  })

  it('makes codes within its life only', async () => {
    const device = certificate && { key: (await testKeys()).sign, certificate }
    const at = (seconds: number): boolean => isUsable(device, seconds * 1000)
    expect([at(1_646_107_000), at(1_646_107_200), at(1_646_193_599), at(1_646_193_600)]).toEqual([false, true, true, false])
    expect(isUsable(null, 1_646_107_200_000)).toBe(false)
  })

  it('survives its journey as base64url', () => {
    expect(decodeBase64url(encodeBase64url(CERTIFICATE))).toEqual(CERTIFICATE)
  })
})

describe('a printed card', () => {
  it('tells how long it is valid and whose it is', () => {
    expect(readCard(CARD)).toEqual({ expiresAt: 1_646_107_200 + 7 * 86_400, issuedAt: 1_646_107_200, maskedName: '*小明' })
  })

  it.each([['another prefix', TEXT], ['a cut text', CARD.slice(0, 90)], ['nothing', ''], ['a long text', CARD.repeat(3)]])(
    'is not %s',
    (_what, text) => {
      expect(readCard(text)).toBeNull()
    },
  )
})
