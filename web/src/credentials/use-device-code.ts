import { computed, shallowRef, watch, type ComputedRef, type Ref } from 'vue'
import { clockSetBack } from '../clock/phone-clock'
import { heldDevice, type Device } from './device'
import { present, type Certificate } from './device-code'

// A showing holds for 90 s; made anew each minute it is never near its end.
const FRESH_SECONDS = 60

/** One showing of the device-bound code. */
export interface Showing {
  readonly text: string
  readonly shownAt: number
  readonly certificate: Certificate
}

/** Whether `device` can make codes at `now` (milliseconds): it is certified for that time, as the phone knows it. */
export function isUsable(device: Device | null, now: number): device is Device {
  if (!device) return false
  return now >= (device.certificate.issuedAt - FRESH_SECONDS) * 1000 && now < device.certificate.expiresAt * 1000
}

/**
 * A code made on this phone while `wanted` and `now` ticks: a fresh one each minute. Null when there is no certificate
 * for this time, or when the phone's clock was set back and so cannot date a code.
 */
export function useDeviceCode(now: Ref<number>, wanted: () => boolean): ComputedRef<Showing | null> {
  const made = shallowRef<Showing | null>(null)
  const usable = computed(() => wanted() && !clockSetBack.value && isUsable(heldDevice.value, now.value))
  let making = false

  watch(
    [now, usable, heldDevice],
    async () => {
      const device = heldDevice.value
      if (!usable.value || !device || making) return
      const seconds = Math.floor(now.value / 1000)
      const age = seconds - (made.value?.shownAt ?? 0)
      if (made.value?.certificate === device.certificate && age >= 0 && age < FRESH_SECONDS) return
      making = true
      try {
        const text = await present(device.key, device.certificate.bytes, seconds)
        made.value = { text, shownAt: seconds, certificate: device.certificate }
      } finally {
        making = false
      }
    },
    { immediate: true },
  )
  return computed(() => (usable.value && heldDevice.value?.certificate === made.value?.certificate ? made.value : null))
}
