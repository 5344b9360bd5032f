import { shallowRef } from 'vue'
import { closeShift, fetchOperator, type Operator } from '../api/console'
import { asApiError, type ApiError } from '../api/problem'

/** Who is signed in at this console; null when nobody is, undefined before that is known. */
export const operator = shallowRef<Operator | null | undefined>(undefined)

export type Duty = 'venues' | 'check' | 'bus' | 'lookup' | 'explain'

const DUTIES: Record<string, readonly Duty[]> = {
  venue_manager: ['venues'],
  guard: ['check', 'bus', 'lookup'],
  epidemiologist: ['explain'],
  desk: ['explain'],
}

/** The pages an operator's roles open, in the order of the table above. What may really be done, the server decides. */
export function dutiesOf(who: Operator | null | undefined): Duty[] {
  return [...new Set((who?.roles ?? []).flatMap((role) => DUTIES[role] ?? []))]
}

/** Asks the server who is signed in, once per page load. A failure other than "nobody" is thrown. */
export async function knowOperator(): Promise<Operator | null> {
  if (operator.value !== undefined) return operator.value
  try {
    operator.value = await fetchOperator()
  } catch (error) {
    const problem = asApiError(error)
    if (problem.status !== 401 && problem.status !== 403) throw problem
    operator.value = null
  }
  return operator.value
}

/** Ends the session; already ended is as good. Other failures are thrown, and the session goes on. */
export async function leaveShift(): Promise<void> {
  try {
    await closeShift()
  } catch (error) {
    const problem = asApiError(error)
    if (problem.kind !== 'signed_out') throw problem
  }
  operator.value = null
}

/** For any request of the console: notes that the session is over when that is why it failed. */
export function noteSignedOut(problem: ApiError): void {
  if (problem.kind === 'signed_out') operator.value = null
}
