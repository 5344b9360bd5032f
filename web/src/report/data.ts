/** What `tianfu.tracing.report.data` writes into the page. Instants are ISO 8601 in Beijing time, days YYYY-MM-DD. */
export interface Report {
  language: 'zh' | 'en'
  words: Record<string, string>
  cases: CaseNode[]
  days: DayCounts[]
  tiers: string[]
  counties: CountyPoint[]
  funnel: FunnelStep[]
}

/** A case: `through` is the case that it was a contact of before, null where none was known. */
export interface CaseNode {
  reference: string
  county: string
  at: string
  through: string | null
  tier: string | null
  setting: string | null
  traced: number
}

/** One day: new cases, and first exposures of people on the list by tier. */
export interface DayCounts {
  day: string
  cases: number
  exposed: Record<string, number>
}

/** One county: where its seat is, people listed by tier, cases. */
export interface CountyPoint {
  code: string
  name: string
  longitude: number
  latitude: number
  cases: number
  listed: number
}

/** One step of the funnel. */
export interface FunnelStep {
  name: string
  after: number
  added: number
  removed: number
}
