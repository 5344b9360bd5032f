import { readonly, ref, type Ref } from 'vue'
import { isSetBack, raised } from './floor'
import { adoptCorrection, knownCorrection, serverNow, whenTimeLearned } from './server-clock'

/** What outlives the page: how far the phone's clock is off, and the latest time seen, in milliseconds. */
export interface ClockMemory {
  readonly correction: number
  readonly floor: number
}

/** Where it is kept; both may reject, and are then as if nothing had been kept. */
export interface ClockStore {
  load(): Promise<ClockMemory | null>
  save(memory: ClockMemory): Promise<void>
}

const LOOK_MILLISECONDS = 1000
// At most this much can be lost of the floor when a phone is switched off.
const SAVE_LOOKS = 10

const setBack = ref(false)
let floor = 0

/** Whether the phone's clock shows less than it did: nothing here can then tell what is still valid. */
export const clockSetBack: Readonly<Ref<boolean>> = readonly(setBack)

function look(): void {
  const now = serverNow()
  setBack.value = isSetBack(now, floor)
  floor = raised(floor, now)
}

/** The time now, or the latest time seen where the clock was set back: the best date there is for what happens now. */
export function latestKnown(): number {
  return Math.max(serverNow(), floor)
}

/**
 * Watches the clock while the page lives. Resolves once what was kept is known, so that nothing is shown by a clock
 * that was set back before the page was loaded. The server's word sets the floor anew, also downwards: a clock that was
 * ahead is then put right.
 */
export async function watchClock(store: ClockStore): Promise<void> {
  const before = await store.load().catch(() => null)
  if (before && floor === 0) {
    adoptCorrection(before.correction)
    floor = before.floor
  }
  look()
  const save = (): void => {
    if (!setBack.value) store.save({ correction: knownCorrection(), floor }).catch(() => undefined)
  }
  whenTimeLearned(() => {
    floor = serverNow()
    setBack.value = false
    save()
  })
  let looks = 0
  setInterval(() => {
    look()
    looks += 1
    if (looks % SAVE_LOOKS === 0) save()
  }, LOOK_MILLISECONDS)
  document.addEventListener('visibilitychange', () => {
    look()
    if (document.hidden) save()
  })
}
