import type { DocumentType } from '../api/portal'

export const DOCUMENT_TYPES: readonly DocumentType[] = [
  'resident_id',
  'passport',
  'hk_macau_permit',
  'taiwan_permit',
  'foreign_permanent_resident',
]

const WEIGHTS = [7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2] as const
const CHECK_CHARACTERS = '10X98765432'

/** Spaces out and letters up, as the number is compared and sent. */
export function normalised(number: string): string {
  return number.replaceAll(/[\s-]/g, '').toUpperCase()
}

function isDate(digits: string): boolean {
  const [year, month, day] = [digits.slice(0, 4), digits.slice(4, 6), digits.slice(6, 8)].map(Number)
  if (year === undefined || month === undefined || day === undefined) return false
  const date = new Date(Date.UTC(year, month - 1, day))
  return date.getUTCMonth() === month - 1 && date.getUTCDate() === day && year >= 1850
}

/** Whether `number` has the form, the birth date and the check character of GB 11643. */
export function isResidentId(number: string): boolean {
  if (!/^\d{17}[\dX]$/.test(number) || !isDate(number.slice(6, 14))) return false
  const sum = WEIGHTS.reduce((total, weight, place) => total + weight * Number(number[place]), 0)
  return CHECK_CHARACTERS[sum % 11] === number[17]
}

/**
 * Whether the number could be one of its type. A first look that saves a round trip; the server decides, so a form it
 * might accept is let through.
 */
export function looksValid(type: DocumentType, number: string): boolean {
  const text = normalised(number)
  if (type === 'resident_id') return isResidentId(text)
  if (type === 'hk_macau_permit') return /^[HM]\d{8}(\d{2})?$/.test(text)
  if (type === 'taiwan_permit') return /^\d{8}$/.test(text)
  if (type === 'foreign_permanent_resident') return /^(9\d{16}[\dX]|[A-Z]{3}\d{12})$/.test(text)
  return /^[A-Z\d]{5,15}$/.test(text)
}

export function looksLikePhone(phone: string): boolean {
  return /^1[3-9]\d{9}$/.test(phone.replaceAll(/[\s-]/g, ''))
}
