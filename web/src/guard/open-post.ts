import { knowOperator, operator } from '../console/operator'
import { followNetwork, whenBack } from './connection'
import { followLists } from './lists-feed'
import { sessionOver } from './post'
import { followQueue } from './sending'

let stops: (() => void)[] = []

/** Starts what a guard's device does by itself: follow the network, fetch lists, send what waits. Once is enough. */
export function openPost(): void {
  if (stops.length > 0) return
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
