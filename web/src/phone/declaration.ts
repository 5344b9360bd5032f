/** The symptoms a person can declare, in the order they are asked. */
export const SYMPTOMS = [
  'fever',
  'cough',
  'fatigue',
  'sore_throat',
  'breathless',
  'diarrhoea',
  'loss_of_smell',
] as const

export type Symptom = (typeof SYMPTOMS)[number]

const LOWEST_DECIDEGREES = 340
const HIGHEST_DECIDEGREES = 430

/** 36.5 as 365; null for an empty text, undefined for what is not a body temperature. */
export function decidegreesOf(text: string): number | null | undefined {
  const trimmed = text.trim().replace(',', '.')
  if (trimmed === '') return null
  if (!/^\d{2}(\.\d)?$/.test(trimmed)) return undefined
  const decidegrees = Math.round(Number(trimmed) * 10)
  return decidegrees >= LOWEST_DECIDEGREES && decidegrees <= HIGHEST_DECIDEGREES ? decidegrees : undefined
}
