import { computed, ref, watchEffect, type ComputedRef } from 'vue'
import { recall, remember } from './memory'

export const LANGUAGES = ['zh', 'en'] as const
export type Language = (typeof LANGUAGES)[number]

/** Each language by its own name, which is not translated. */
export const LANGUAGE_NAMES: Record<Language, string> = { zh: '中文', en: 'English' }

const KEY = 'tianfu.language'

function first(): Language {
  const kept = recall(KEY)
  if (kept === 'zh' || kept === 'en') return kept
  return 'zh'
}

/** The language everything is written in: simplified Chinese until the person chooses otherwise. */
export const language = ref<Language>(first())

export function chooseLanguage(chosen: Language): void {
  language.value = chosen
  remember(KEY, chosen)
}

watchEffect(() => {
  if (typeof document !== 'undefined') document.documentElement.lang = language.value === 'en' ? 'en' : 'zh-CN'
})

/**
 * The texts of the current language. Both languages have the same type, so a sentence missing in one of them, or one
 * that takes other values, does not compile.
 */
export function texts<Texts>(by: Record<Language, Texts>): ComputedRef<Texts> {
  return computed(() => by[language.value])
}
