import { computed, ref, shallowRef } from 'vue'
import type { VenueName } from '../api/console'
import { adoptCorrection, knownCorrection, serverNow, whenTimeLearned } from '../clock/server-clock'
import { Device } from '../offline/device'
import { IndexedStore } from '../offline/indexed-store'
import type { Instant } from '../offline/judge'
import { MemoryStore, type DeviceStore } from '../offline/store'

// As long as a session of a guard lives: a shift begun with network may end without.
export const SHIFT_MILLISECONDS = 12 * 3_600_000
const SHIFT = 'shift'
const CORRECTION = 'correction'

/** Where this device checks codes, and until when it may without the server confirming it. */
export interface Shift {
  readonly venue: VenueName
  readonly until: number
}

/** The shift begun here; null while there is none, undefined before that is known. */
export const shift = shallowRef<Shift | null | undefined>(undefined)
/** The session ended while scans or visitors were waiting: checks go on, sending waits for the sign-in. */
export const sessionOver = ref(false)
/** Whether the browser keeps what it is given over a reload. */
export const keeps = ref(true)
/** Counts up whenever lists, roots or scans of the device have changed; whoever shows them depends on it. */
export const changes = ref(0)

let store: Promise<DeviceStore> | null = null
let opened: Promise<Device> | null = null

export function deviceStore(): Promise<DeviceStore> {
  store ??= IndexedStore.open()
    .catch(() => {
      keeps.value = false
      return new MemoryStore()
    })
    .then(followCorrection)
  return store
}

/** A device whose clock is wrong knows by how much also after a reload without network. */
async function followCorrection(kept: DeviceStore): Promise<DeviceStore> {
  const correction = await kept.read(CORRECTION).catch(() => undefined)
  if (typeof correction === 'number' && knownCorrection() === 0) adoptCorrection(correction)
  whenTimeLearned(() => void kept.write({ [CORRECTION]: knownCorrection() }).catch(() => undefined))
  return kept
}

/** The one device of this page. */
export function device(): Promise<Device> {
  opened ??= deviceStore()
    .then((kept) => Device.open(kept))
    .catch(() => {
      keeps.value = false
      return Device.open(new MemoryStore())
    })
  return opened
}

export function now(): Instant {
  return { wall: serverNow() / 1000, steady: performance.now() / 1000 }
}

export function noteChange(): void {
  changes.value += 1
}

/** The server has confirmed who is on duty here. */
export async function beginShift(venue: VenueName): Promise<void> {
  shift.value = { venue: { ...venue }, until: serverNow() + SHIFT_MILLISECONDS }
  sessionOver.value = false
  await (await deviceStore()).write({ [SHIFT]: shift.value }).catch(() => (keeps.value = false))
}

export async function endShift(): Promise<void> {
  shift.value = null
  sessionOver.value = false
  await (await deviceStore()).write({ [SHIFT]: null }).catch(() => undefined)
}

/** The shift that a reload finds, also without network. */
export async function recallShift(): Promise<Shift | null> {
  if (shift.value === undefined) {
    const kept = (await (await deviceStore()).read(SHIFT).catch(() => null)) as Shift | null | undefined
    shift.value ??= kept ?? null
  }
  return isOpen(shift.value) ? (shift.value ?? null) : null
}

export function isOpen(found: Shift | null | undefined): boolean {
  return !!found && serverNow() < found.until
}

export const venueHere = computed(() => shift.value?.venue ?? null)
