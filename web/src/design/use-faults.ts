import { nextTick, ref, type Ref } from 'vue'
import { ApiError, asApiError, type FieldFault } from '../api/problem'

export type Faults = Readonly<Record<string, string>>

/**
 * What is wrong with a form, by field. `show` puts the faults beside their fields and moves the focus to the first one,
 * whose sentence is then read out. `accept` does the same with what a server said; faults of fields the form does not
 * have stay in `failure`, so that nothing is lost. `keys` maps the server's field names to the form's.
 */
export function useFaults(
  form: Readonly<Ref<HTMLElement | null>>,
  keys: (field: string) => string,
): {
  faults: Ref<Faults>
  failure: Ref<ApiError | null>
  clear: () => void
  show: (found: Faults) => boolean
  accept: (error: unknown) => void
} {
  const faults = ref<Faults>({})
  const failure = ref<ApiError | null>(null)

  function clear(): void {
    faults.value = {}
    failure.value = null
  }

  function show(found: Faults): boolean {
    faults.value = found
    if (Object.keys(found).length === 0) return false
    void nextTick(() => form.value?.querySelector<HTMLElement>('[aria-invalid="true"]')?.focus())
    return true
  }

  function accept(error: unknown): void {
    const problem = asApiError(error)
    failure.value = problem
    show(Object.fromEntries(problem.faults.map((fault: FieldFault) => [keys(fault.field), fault.sentence])))
  }

  return { faults, failure, clear, show, accept }
}
