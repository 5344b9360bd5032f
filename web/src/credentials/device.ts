import { shallowRef, type ShallowRef } from 'vue'
import { backoffMilliseconds, pause, spread } from '../api/backoff'
import { certifyDevice } from '../api/portal'
import { asApiError } from '../api/problem'
import { serverNow } from '../clock/server-clock'
import { decodeBase64url, encodeBase64url } from '../code/base64url'
import { compressPoint, CURVE, readCertificate, type Certificate } from './device-code'
import { CERTIFICATE, DEVICE_KEY } from './holdings'
import { forgetKept, keep, readPlain, unseal, writePlain } from './vault'

/** This phone's key, which no script can read, and our word that it is the holder's. */
export interface Device {
  readonly key: CryptoKey
  readonly certificate: Certificate
}

interface KeptKey {
  readonly privateKey: CryptoKey
  readonly publicKey: Uint8Array<ArrayBuffer>
}

// Renewals of a whole city are due together after an outage; they are spread over two minutes.
const RENEWAL_SPREAD_MILLISECONDS = 60_000
// Timers sleep with the phone, so the date is looked at again this often.
const LOOK_MILLISECONDS = 300_000
// A refusal, unlike a failure, will not pass by itself soon.
const REFUSED_MILLISECONDS = 1_800_000

const device = shallowRef<Device | null>(null)
let epoch = 0

/** The device as it is known now; null without a certificate. It may be past its life: look at the certificate. */
export const heldDevice: Readonly<ShallowRef<Device | null>> = device

/** Forgets the device in this page; what is kept goes with the rest of the vault. */
export function forgetDevice(): void {
  epoch += 1
  device.value = null
}

async function ownKey(): Promise<KeptKey> {
  const kept = await readPlain<KeptKey>(DEVICE_KEY)
  if (kept) return kept
  const pair = await crypto.subtle.generateKey(CURVE, false, ['sign', 'verify'])
  const point = new Uint8Array(await crypto.subtle.exportKey('raw', pair.publicKey))
  const made = { privateKey: pair.privateKey, publicKey: Uint8Array.from(compressPoint(point)) }
  await writePlain(DEVICE_KEY, made)
  return made
}

async function restore(): Promise<void> {
  const begun = epoch
  const [key, text] = await Promise.all([readPlain<KeptKey>(DEVICE_KEY), unseal<string>(CERTIFICATE)])
  const certificate = text === null ? null : readCertificate(decodeBase64url(text))
  if (key && certificate && begun === epoch) device.value = { key: key.privateKey, certificate }
}

async function certify(): Promise<void> {
  const begun = epoch
  const key = await ownKey()
  const { certificate: text } = await certifyDevice(encodeBase64url(key.publicKey))
  const certificate = readCertificate(decodeBase64url(text))
  if (!certificate) throw new Error('the certificate cannot be read')
  if (begun !== epoch) return
  device.value = { key: key.privateKey, certificate }
  await keep(CERTIFICATE, text)
  if (begun !== epoch) await forgetKept(CERTIFICATE, DEVICE_KEY)
}

/** When the certificate is to be renewed, in milliseconds: at half of its life; at once without one. */
export function renewalDue(certificate: Certificate | null): number {
  return certificate ? ((certificate.issuedAt + certificate.expiresAt) / 2) * 1000 : 0
}

/**
 * Keeps a certificate that lives at least half a day longer, until `signal`: what was kept is there at once, a new one
 * is asked for in the background. Works quietly; without network or storage the phone has what it had.
 */
export async function keepCertified(signal: AbortSignal): Promise<void> {
  await restore().catch(() => undefined)
  let failures = 0
  while (!signal.aborted) {
    const due = renewalDue(device.value?.certificate ?? null) - serverNow()
    if (due > 0) {
      await pause(Math.min(due, LOOK_MILLISECONDS), signal)
      continue
    }
    // The first one is wanted while the network is still there; nobody waits for the others.
    if (device.value && failures === 0) {
      await pause(spread(RENEWAL_SPREAD_MILLISECONDS, RENEWAL_SPREAD_MILLISECONDS), signal)
      if (signal.aborted) return
    }
    try {
      await certify()
      failures = 0
      // The same one again, because the server thinks it fresh enough: by and by, then.
      if (renewalDue(device.value?.certificate ?? null) <= serverNow()) await pause(LOOK_MILLISECONDS, signal)
    } catch (error) {
      const failure = asApiError(error)
      if (failure.kind === 'signed_out') return
      failures += 1
      const refused = failure.kind === 'refused' || failure.kind === 'broken'
      const wait = refused ? spread(REFUSED_MILLISECONDS, REFUSED_MILLISECONDS / 2) : backoffMilliseconds(failures, failure.retryAfterSeconds)
      await pause(wait, signal)
    }
  }
}
