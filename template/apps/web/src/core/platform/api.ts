import { client } from '../client/client.gen'
import type { Problem } from '../client'

/** A request that failed; `message` says what happened and what to do. */
export class ApiError extends Error {
  constructor(
    message: string,
    /** The HTTP status; 0 if there was no answer. */
    readonly status: number,
    /** Finds the request in the logs. */
    readonly requestId: string | null = null,
  ) {
    super(message)
  }
}

const UNREACHABLE =
  'The platform cannot be reached: check your network and that the API runs, then try again.'
const sessionEnd: (() => void)[] = []

/** Calls back when the API says that nobody is signed in any more. */
export function onSessionEnd(callback: () => void): void {
  sessionEnd.push(callback)
}

client.setConfig({ baseUrl: '/api', fetch: checkedFetch })

/** Refused requests become an `ApiError`, those of streams too. */
async function checkedFetch(request: Parameters<typeof fetch>[0]): Promise<Response> {
  let response
  try {
    response = await fetch(request)
  } catch (error) {
    if (error instanceof DOMException && error.name === 'AbortError') throw error
    throw new ApiError(UNREACHABLE, 0)
  }
  if (response.ok) return response
  // A proxy in front of a service that is down answers without a problem document.
  const problem: Partial<Problem> = await response.json().catch(() => ({}))
  if (response.status === 401 && !response.url.endsWith('/auth/login')) {
    for (const callback of sessionEnd) callback()
  }
  throw new ApiError(describe(problem), response.status, problem.request_id)
}

/** What a person reads: the refused values, where the problem names them. */
function describe({ detail, errors }: Partial<Problem>): string {
  if (!errors?.length) return detail ?? UNREACHABLE
  return errors.map((error) => `${error.field.split('.').at(-1)}: ${error.detail}`).join('\n')
}
