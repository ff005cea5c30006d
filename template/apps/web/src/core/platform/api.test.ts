import { afterEach, expect, it, vi } from 'vitest'
import './api'
import { me } from '../client'

afterEach(() => vi.unstubAllGlobals())

it('a refused value is named, and what is wrong with it', async () => {
  const problem = {
    detail: 'The request is not valid: see `errors` for each value to mend.',
    errors: [{ field: 'body.prompt', detail: 'String should have at most 100000 characters' }],
  }
  vi.stubGlobal('Request', vi.fn())
  vi.stubGlobal('fetch', () => Promise.resolve(Response.json(problem, { status: 422 })))
  await expect(me()).rejects.toThrow('prompt: String should have at most 100000 characters')
})
