// The bands a gate asks for, in hours since sampling.
const BANDS_HOURS = [24, 48, 72] as const

/** The narrowest band `hours` falls in; null when the test is older than every band. */
export function bandOf(hours: number): (typeof BANDS_HOURS)[number] | null {
  return BANDS_HOURS.find((band) => hours < band) ?? null
}
