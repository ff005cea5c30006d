import { afterEach, expect, it, vi } from 'vitest'
import { effectScope } from 'vue'
import { useConversation } from './useConversation'

const ID = '7f1c0f7e-0000-4000-8000-000000000000'
const scope = effectScope()

afterEach(() => {
  scope.stop()
  vi.useRealTimers()
  vi.unstubAllGlobals()
})

/** An API whose run is running until `ended`; its streams send nothing and never end. */
function silentApi() {
  const api = { ended: false, streams: 0 }
  vi.stubGlobal(
    'Request',
    class {
      constructor(readonly url: string) {}
    },
  )
  vi.stubGlobal('fetch', async ({ url }: { url: string }) => {
    if (url.endsWith('/stream')) {
      api.streams++
      return new Response(new ReadableStream(), {
        headers: { 'Content-Type': 'text/event-stream' },
      })
    }
    if (url.includes('/messages')) return Response.json({ items: [], before: null })
    return Response.json({
      id: ID,
      title: 'Lamp',
      agent: 'one',
      run_status: api.ended ? 'success' : 'running',
      updated_at: '2026-01-01T00:00:00Z',
    })
  })
  return api
}

it('asks for the stored state when a stream is silent', async () => {
  vi.useFakeTimers()
  const api = silentApi()
  const state = scope.run(() => useConversation(ID))!
  void state.load()
  await vi.advanceTimersByTimeAsync(1000)
  expect(state.running.value).toBe(true)
  expect(api.streams).toBe(1)

  await vi.advanceTimersByTimeAsync(60_000)
  expect(api.streams).toBe(2)
  api.ended = true
  await vi.advanceTimersByTimeAsync(60_000)
  expect(state.running.value).toBe(false)
})
