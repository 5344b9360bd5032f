import { ref } from 'vue'
import { backoffMilliseconds, pause, spread } from '../api/backoff'
import { fetchList, fetchRoot } from '../api/gate'
import { asApiError } from '../api/problem'
import type { Refusal } from '../offline/belief'
import { connection, whenBack } from './connection'
import { device, noteChange } from './post'

// A list lives for four hours; asked for every ten minutes it is never older than a quarter of an hour while there is
// a network. Spread, so that the devices of a province do not ask in the same second.
const EVERY_MILLISECONDS = 600_000
const SPREAD_MILLISECONDS = 120_000

/** What was wrong with the lists that came last. */
export const listTrouble = ref<Refusal | 'away' | null>(null)

let running: AbortController | null = null
let wake: AbortController | null = null
// Asked for while the lists before are still on their way, which may be older than what is wanted.
let isWanted = false

/** Asks for both lists now and then as long as the shift lasts. The root is pinned only while a guard is signed in. */
export function followLists(isSignedIn: () => boolean): () => void {
  running?.abort()
  running = new AbortController()
  const forget = whenBack(fetchListsNow)
  void follow(running.signal, isSignedIn)
  return () => {
    forget()
    running?.abort()
  }
}

export function fetchListsNow(): void {
  isWanted = true
  wake?.abort()
}

/** Forgets what is pinned and pins anew. */
export async function pinAnew(): Promise<void> {
  await (await device()).unpin()
  noteChange()
  fetchListsNow()
}

async function follow(signal: AbortSignal, isSignedIn: () => boolean): Promise<void> {
  let failures = 0
  while (!signal.aborted) {
    let asked: number | null = null
    isWanted = false
    if (connection.value === 'online') {
      try {
        await fetchBoth(isSignedIn())
        failures = 0
      } catch (error) {
        failures += 1
        asked = asApiError(error).retryAfterSeconds
        listTrouble.value = 'away'
      }
    }
    if (isWanted && failures === 0) continue
    wake = new AbortController()
    const wait = failures > 0 ? backoffMilliseconds(failures, asked) : spread(EVERY_MILLISECONDS, SPREAD_MILLISECONDS)
    await pause(wait, AbortSignal.any([signal, wake.signal]))
  }
}

async function fetchBoth(isSignedIn: boolean): Promise<void> {
  const here = await device()
  if (!here.isPinned) {
    if (!isSignedIn) return
    await here.pin((await fetchRoot()).keys)
  }
  // Trust first: the other list may be signed by a key that only the newest trust list introduces.
  const trouble = await here.take('trust', await fetchList('trust'))
  const other = await here.take('not-green', await fetchList('not-green'))
  listTrouble.value = trouble === 'unsigned' || other === 'unsigned' ? 'unsigned' : (trouble ?? other)
  noteChange()
}
