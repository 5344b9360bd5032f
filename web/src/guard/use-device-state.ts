import { computed, onMounted, shallowRef, watch, type ComputedRef } from 'vue'
import { useTicking } from '../clock/server-clock'
import type { ListHead, ListKind } from '../offline/lists'
import { SCANS_WARNING } from '../offline/scan-queue'
import { changes, device, shift, venueHere } from './post'

// Said an hour before the end, while there is time to find a network.
const SOON_SECONDS = 3600

export interface ListState {
  readonly kind: ListKind
  readonly head: ListHead | null
  readonly ageSeconds: number
  readonly leftSeconds: number
  readonly state: 'none' | 'fresh' | 'soon' | 'over'
}

export interface DeviceState {
  readonly lists: readonly ListState[]
  readonly worst: ListState['state']
  /** Until the first of them ends. */
  readonly leftSeconds: number
  /** Whether the device has been looked at yet, and where it stands is known: before that no number here means anything. */
  readonly isKnown: boolean
  readonly waiting: number
  readonly elsewhere: number
  readonly isNearlyFull: boolean
}

interface Snapshot {
  readonly trust: ListHead | null
  readonly notGreen: ListHead | null
  readonly counts: ReadonlyMap<string, number>
}

const NOTHING: Snapshot = { trust: null, notGreen: null, counts: new Map() }
const ORDER: readonly ListState['state'][] = ['none', 'over', 'soon', 'fresh']

function stateOf(kind: ListKind, head: ListHead | null, nowSeconds: number): ListState {
  if (!head) return { kind, head, ageSeconds: 0, leftSeconds: 0, state: 'none' }
  const leftSeconds = head.expiresAt - nowSeconds
  const state = leftSeconds <= 0 ? 'over' : leftSeconds < SOON_SECONDS ? 'soon' : 'fresh'
  return { kind, head, ageSeconds: nowSeconds - head.issuedAt, leftSeconds, state }
}

/** The age of the lists and the scans that wait, as of now. */
export function useDeviceState(): ComputedRef<DeviceState> {
  const now = useTicking()
  const snapshot = shallowRef<Snapshot | null>(null)

  async function look(): Promise<void> {
    const { beliefs, queue } = await device()
    const counts = await queue.counts().catch(() => new Map<string, number>())
    snapshot.value = { trust: beliefs.trust, notGreen: beliefs.notGreen, counts }
  }

  onMounted(() => void look())
  watch(changes, () => void look())
  return computed(() => {
    const { trust, notGreen, counts } = snapshot.value ?? NOTHING
    const isKnown = snapshot.value !== null && shift.value !== undefined
    const seconds = now.value / 1000
    const lists = [stateOf('trust', trust, seconds), stateOf('not-green', notGreen, seconds)]
    const worst = ORDER.find((state) => lists.some((list) => list.state === state)) ?? 'none'
    const waiting = counts.get(venueHere.value?.venue_ref ?? '') ?? 0
    const all = [...counts.values()].reduce((sum, count) => sum + count, 0)
    const leftSeconds = Math.min(...lists.map((list) => list.leftSeconds))
    return { lists, worst, leftSeconds, isKnown, waiting, elsewhere: all - waiting, isNearlyFull: all >= SCANS_WARNING }
  })
}
