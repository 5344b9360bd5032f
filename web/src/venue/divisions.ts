import { fetchDivisions, type Division } from '../api/portal'

export interface City extends Division {
  readonly counties: readonly Division[]
}

/**
 * Cities with their counties, from the flat list of GB/T 2260 codes: a city's code ends in 00, its counties share the
 * first four digits. Provinces (ending in 0000) are left out.
 */
export function citiesOf(divisions: readonly Division[]): City[] {
  return divisions
    .filter((division) => division.code.endsWith('00') && !division.code.endsWith('0000'))
    .map((city) => ({
      ...city,
      counties: divisions.filter((other) => other.code.slice(0, 4) === city.code.slice(0, 4) && other.code !== city.code),
    }))
}

let loaded: Promise<City[]> | null = null

/** The cities, fetched once per page load; a failure is forgotten so that the next call tries again. */
export function loadCities(): Promise<City[]> {
  loaded ??= fetchDivisions()
    .then(citiesOf)
    .catch((error: unknown) => {
      loaded = null
      throw error
    })
  return loaded
}
