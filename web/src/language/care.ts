import { ref, watchEffect } from 'vue'
import { recall, remember } from './memory'

const KEY = 'tianfu.care'

/** 关怀模式: larger type and fewer things on each page. */
export const care = ref(recall(KEY) === 'on')

export function chooseCare(on: boolean): void {
  care.value = on
  remember(KEY, on ? 'on' : 'off')
}

watchEffect(() => {
  if (typeof document !== 'undefined') document.documentElement.dataset.care = care.value ? 'on' : 'off'
})
