import { shared } from '../messages'
import { retryAfterSecondsOf } from './backoff'

/** What is wrong with one field of what was sent, in the person's language. */
export interface FieldFault {
  readonly field: string
  readonly code: string
  readonly sentence: string
}

/**
 * Every way a request can fail. `offline`: nothing came back. `timeout`: nothing came back in time. `busy`: the server
 * asks for patience, `retryAfterSeconds` says how much. `signed_out`: the session is missing or over. `refused`: the
 * server understood and said no; `code` says which no. `sentence` can always be shown as it is.
 */
export type FailureKind = 'offline' | 'timeout' | 'busy' | 'signed_out' | 'refused' | 'broken'

export class ApiError extends Error {
  readonly kind: FailureKind
  readonly status: number
  readonly code: string
  readonly sentence: string
  readonly faults: readonly FieldFault[]
  readonly retryAfterSeconds: number | null

  constructor(
    kind: FailureKind,
    sentence: string,
    more: { status?: number; code?: string; faults?: readonly FieldFault[]; retryAfterSeconds?: number | null } = {},
  ) {
    super(`${kind}: ${more.code ?? ''}`)
    this.name = 'ApiError'
    this.kind = kind
    this.sentence = sentence
    this.status = more.status ?? 0
    this.code = more.code ?? kind
    this.faults = more.faults ?? []
    this.retryAfterSeconds = more.retryAfterSeconds ?? null
  }
}

function kindOf(status: number, code: string): FailureKind {
  // A refused log-in is also a 401, but there is no session to lose.
  if (status === 401) return code.startsWith('session') ? 'signed_out' : 'refused'
  if (status === 429 || status === 503) return 'busy'
  if (status >= 500) return 'broken'
  return 'refused'
}

function text(value: unknown): string {
  return typeof value === 'string' ? value : ''
}

function readFaults(value: unknown): FieldFault[] {
  if (!Array.isArray(value)) return []
  return value.map((item: Record<string, unknown>) => ({
    field: text(item.field),
    code: text(item.code),
    sentence: text(item.text),
  }))
}

/** The error in a problem+json answer (RFC 9457); other bodies get a sentence of our own. */
export async function readProblem(response: Response): Promise<ApiError> {
  const body = (await response.json().catch(() => ({}))) as Record<string, unknown>
  const code = text(body.code) || (response.status === 401 ? 'session_invalid' : `http_${response.status}`)
  const kind = kindOf(response.status, code)
  const fallback = kind === 'busy' ? shared.value.failures.busy : shared.value.failures.broken
  return new ApiError(kind, text(body.detail) || fallback, {
    status: response.status,
    code,
    faults: readFaults(body.faults),
    retryAfterSeconds: retryAfterSecondsOf(response.headers.get('Retry-After'), Date.now()),
  })
}

/** `error` as an `ApiError`; anything unexpected becomes `broken`, and is left in the browser's console. */
export function asApiError(error: unknown): ApiError {
  if (error instanceof ApiError) return error
  console.error(error)
  return new ApiError('broken', shared.value.failures.broken)
}
