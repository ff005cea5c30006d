import type { Problem } from '../client'
import { client } from '../client/client.gen'

/** A failed request; `message` is for the user: what happened and what to do. */
export class ApiError extends Error {
  constructor(
    message: string,
    /** The HTTP status; 0 without a response. */
    readonly status: number,
    /** The request's id in the logs. */
    readonly requestId: string | null = null,
    /** Seconds after which the request may be tried again; 0 if the API does not limit it. */
    readonly wait = 0,
  ) {
    super(message)
  }
}

const UNREACHABLE =
  'The platform cannot be reached: check your network and that the API runs, then try again.'
const sessionEnd: (() => void)[] = []

/** Calls `callback` whenever the API refuses a request because the session is over. */
export function onSessionEnd(callback: () => void): void {
  sessionEnd.push(callback)
}

client.setConfig({ baseUrl: '/api', fetch: checkedFetch })

/** `fetch` for all requests, streams included: a failed request throws an `ApiError`. */
async function checkedFetch(request: Parameters<typeof fetch>[0]): Promise<Response> {
  let response
  try {
    response = await fetch(request)
  } catch (error) {
    if (error instanceof DOMException && error.name === 'AbortError') throw error
    throw new ApiError(UNREACHABLE, 0)
  }
  if (response.ok) return response
  // A proxy in front of a stopped API responds without a problem document.
  const problem: Partial<Problem> = await response.json().catch(() => ({}))
  if (response.status === 401 && !response.url.endsWith('/auth/login')) {
    for (const callback of sessionEnd) callback()
  }
  const wait = Number(response.headers.get('Retry-After')) || 0
  throw new ApiError(describe(problem), response.status, problem.request_id, wait)
}

/** A problem in words: the invalid values, if it lists any. */
function describe({ detail, errors }: Partial<Problem>): string {
  if (!errors?.length) return detail ?? UNREACHABLE
  return errors.map((error) => `${error.field.split('.').at(-1)}: ${error.detail}`).join('\n')
}
