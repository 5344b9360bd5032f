import type { SharedTexts } from '../messages/zh'

/** An age in the largest unit that fits, as words. */
export function ageText(seconds: number, words: SharedTexts['ages']): string {
  const whole = Math.max(0, Math.floor(seconds))
  if (whole < 60) return words.seconds(whole)
  if (whole < 3600) return words.minutes(Math.floor(whole / 60))
  return words.hours(Math.floor(whole / 3600))
}
