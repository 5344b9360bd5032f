import { ref } from 'vue'
import { language } from '../language/language'
import { recall, remember } from '../language/memory'

const KEY = 'tianfu.voice'

/** Whether results are spoken; kept on this device. */
export const voice = ref(recall(KEY) !== 'off')

export function chooseVoice(on: boolean): void {
  voice.value = on
  remember(KEY, on ? 'on' : 'off')
  if (!on) globalThis.speechSynthesis?.cancel()
}

const BUZZES = { seen: [30], good: [80], warning: [250, 120, 250] } as const

/** A short tremble, a longer one, or two: felt where a loud place drowns the voice. */
export function buzz(kind: keyof typeof BUZZES): void {
  // Not every browser has it, and some refuse it before the first touch.
  navigator.vibrate?.([...BUZZES[kind]])
}

/** Says `text`, cutting off what is still being said; silent where the browser cannot speak. */
export function say(text: string): void {
  const speaker = globalThis.speechSynthesis
  if (!voice.value || !speaker) return
  speaker.cancel()
  const words = new SpeechSynthesisUtterance(text)
  words.lang = language.value === 'en' ? 'en-GB' : 'zh-CN'
  speaker.speak(words)
}
