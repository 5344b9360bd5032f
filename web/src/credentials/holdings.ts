// What is kept for the holder, by name, and who may forget what when.
import type { CodeAnswer } from '../api/gate'
import type { ClockMemory, ClockStore } from '../clock/phone-clock'
import { emptyVault, forgetKept, keep, readPlain, unseal, writePlain } from './vault'

export const CODE = 'code'
export const DEVICE_KEY = 'device-key'
export const CERTIFICATE = 'certificate'
export const VISITS = 'visits'
export const OWNER = 'owner'
const CLOCK = 'clock'

/** Not secret, and needed before anything else: kept as it is. */
export const clockStore: ClockStore = {
  load: () => readPlain<ClockMemory>(CLOCK),
  save: (memory) => writePlain(CLOCK, memory),
}

/** The last answer with the code that this browser was given; null for none. Never rejects. */
export function keptCode(): Promise<CodeAnswer | null> {
  return unseal<CodeAnswer>(CODE).catch(() => null)
}

/**
 * Keeps the last answer, unless by then it is no longer `wanted` because its holder left. Never rejects: without
 * storage there is none after a reload.
 */
export async function keepCode(answer: CodeAnswer, wanted: () => boolean): Promise<void> {
  try {
    await keep(CODE, answer)
    if (!wanted()) await forgetKept(CODE)
  } catch (error) {
    console.warn(error)
  }
}

/** At sign-out: nothing stays. */
export const forgetHolder = emptyVault

/** When a session ends by itself: codes and the device's key go; visits that are still to be sent wait for their owner. */
export function forgetSession(): Promise<void> {
  return forgetKept(CODE, DEVICE_KEY, CERTIFICATE)
}
