import { language } from '../language/language'
import { shared } from '../messages'
import { ApiError, readProblem } from './problem'

// A gate answers in milliseconds and a claim in well under a second; beyond this the person deserves an answer.
const TIMEOUT_MILLISECONDS = 12_000

export interface RequestOptions {
  readonly body?: unknown
  readonly timeoutMilliseconds?: number
  readonly signal?: AbortSignal
}

let tellSignedOut: () => void = () => undefined

/** `react` is called whenever a request finds the session missing or over; the request still rejects. */
export function whenSignedOut(react: () => void): void {
  tellSignedOut = react
}

type Method = 'GET' | 'POST' | 'DELETE'

/**
 * One request to our own origin, with the session cookie and the person's language. Resolves with the decoded body
 * (undefined for an empty one). Rejects with `ApiError` only, except when the caller's own `signal` stops it: then
 * with the browser's AbortError.
 */
export async function request<Answer>(method: Method, path: string, options: RequestOptions = {}): Promise<Answer> {
  const patience = AbortSignal.timeout(options.timeoutMilliseconds ?? TIMEOUT_MILLISECONDS)
  const headers: Record<string, string> = { Accept: 'application/json', 'Accept-Language': language.value }
  if (method !== 'GET') headers['Content-Type'] = 'application/json'
  let response: Response
  try {
    response = await fetch(path, {
      method,
      headers,
      signal: options.signal ? AbortSignal.any([patience, options.signal]) : patience,
      cache: 'no-store',
      credentials: 'same-origin',
      redirect: 'error',
      ...(options.body === undefined ? {} : { body: JSON.stringify(options.body) }),
    })
  } catch (error) {
    if (options.signal?.aborted) throw error
    if (patience.aborted) throw new ApiError('timeout', shared.value.failures.timeout)
    throw new ApiError('offline', shared.value.failures.offline)
  }
  if (!response.ok) {
    const problem = await readProblem(response)
    if (problem.kind === 'signed_out') tellSignedOut()
    throw problem
  }
  const body = await response.text()
  return (body === '' ? undefined : JSON.parse(body)) as Answer
}
