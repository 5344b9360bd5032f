import { knowOperator, operator } from '../console/operator'
import { followNetwork, whenBack } from './connection'
import { fetchListsNow, followLists } from './lists-feed'
import { sessionOver } from './post'
import { followQueue, sendNow } from './sending'

let stops: (() => void)[] = []

/**
 * Starts what a guard's device does by itself: follow the network, fetch lists, send what waits. Called again when the
 * guard has signed in: what had to wait for that is done at once.
 */
export function openPost(): void {
  if (stops.length > 0) {
    fetchListsNow()
    sendNow()
    return
  }
  stops = [
    followNetwork(),
    followLists(() => !!operator.value?.venue && !sessionOver.value),
    followQueue(),
    // A page opened without network does not know yet whether its session still holds.
    whenBack(() => void knowOperator().catch(() => undefined)),
  ]
}

export function closePost(): void {
  for (const stop of stops) stop()
  stops = []
}
