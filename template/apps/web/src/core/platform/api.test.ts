import { afterEach, expect, it, vi } from 'vitest'
import { getAccount } from '../client'
import './api'

afterEach(() => vi.unstubAllGlobals())

it('an invalid value is named, with what is wrong', async () => {
  const problem = {
    detail: 'The request is not valid: see `errors` for each value to mend.',
    errors: [{ field: 'body.prompt', detail: 'String should have at most 100000 characters' }],
  }
  vi.stubGlobal('Request', vi.fn())
  vi.stubGlobal('fetch', () => Promise.resolve(Response.json(problem, { status: 422 })))
  await expect(getAccount()).rejects.toThrow('prompt: String should have at most 100000 characters')
})
