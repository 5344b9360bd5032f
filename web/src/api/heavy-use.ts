import { computed, shallowRef, type ComputedRef } from 'vue'
import { shared } from '../messages'
import { ApiError } from './problem'

/** What the gate leaves out first when it is busy, in its order. Words this app does not know are kept as they are. */
export type AddOn = 'vaccination' | 'test' | 'travel' | (string & {})

const left = shallowRef<readonly AddOn[]>([])

/** Whether the gate leaves anything out now. The record side is then left alone altogether. */
export const heavyUse: ComputedRef<boolean> = computed(() => left.value.length > 0)

/** Notes what the gate's latest answer left out. */
export function noteDegraded(addOns: readonly AddOn[] | undefined): void {
  left.value = addOns ?? []
}

/** Sends `ask` unless the gate is under heavy use: details can wait, codes cannot. Then rejects with a busy `ApiError`. */
export function detail<Answer>(ask: () => Promise<Answer>): Promise<Answer> {
  if (!heavyUse.value) return ask()
  return Promise.reject(new ApiError('busy', shared.value.heavyUse, { code: 'heavy_use' }))
}
