import { afterEach, describe, expect, it, vi } from 'vitest'
import { nextPage, requireSession } from './guard'

const page = { meta: {}, fullPath: '/conversations/1' }

afterEach(() => vi.unstubAllGlobals())

function respondWith(status: number, body: object) {
  const headers = { 'Content-Type': 'application/json' }
  vi.stubGlobal('Request', vi.fn())
  vi.stubGlobal('fetch', () =>
    Promise.resolve(new Response(JSON.stringify(body), { status, headers })),
  )
}

describe('requireSession', () => {
  it('sends a visitor to the sign-in page, with the page to return to', async () => {
    respondWith(401, { detail: 'You are not signed in.' })
    expect(await requireSession(page)).toMatchObject({
      name: 'sign-in',
      query: { next: '/conversations/1' },
    })
  })

  it('does not confuse a service that is down with a session that is over', async () => {
    respondWith(503, { detail: 'The database cannot be reached.' })
    await expect(requireSession(page)).rejects.toThrow('The database cannot be reached.')
  })

  it('lets a user pass', async () => {
    respondWith(200, { id: '1', email: 'a@example.com', roles: [] })
    expect(await requireSession(page)).toBe(true)
  })
})

describe('nextPage', () => {
  it.each([
    ['/conversations/1?a=b#c', '/conversations/1?a=b#c'],
    ['https://elsewhere.example/', '/'],
    ['//elsewhere.example/', '/'],
    ['/\\elsewhere.example/', '/'],
    ['javascript:alert(1)', '/'],
    [undefined, '/'],
  ])('of %s is %s', (next, expected) => {
    expect(nextPage(next)).toBe(expected)
  })
})
