import { afterEach, beforeEach, expect, it, vi } from 'vitest'
import { effectScope, type EffectScope } from 'vue'
import { useConversation } from './useConversation'

const ID = '7f1c0f7e-0000-4000-8000-000000000000'
let scope: EffectScope

beforeEach(() => {
  scope = effectScope()
})

afterEach(() => {
  scope.stop()
  vi.useRealTimers()
  vi.unstubAllGlobals()
})

/**
 * An API whose run is running until `ended`. Its streams never end; that of a prompt sends its first
 * bytes at `accept()`, the others send nothing.
 */
function silentApi() {
  const api = { ended: false, streams: 0, cancelled: 0, accept: () => {} }
  vi.stubGlobal(
    'Request',
    class {
      readonly method: string
      constructor(
        readonly url: string,
        init: RequestInit,
      ) {
        this.method = init.method ?? 'GET'
      }
    },
  )
  const stream = (start?: (controller: ReadableStreamDefaultController) => void) =>
    new Response(new ReadableStream({ start }), {
      headers: { 'Content-Type': 'text/event-stream' },
    })
  vi.stubGlobal('fetch', async ({ url, method }: { url: string; method: string }) => {
    if (url.endsWith('/cancel')) {
      api.cancelled++
      return new Response(null, { status: 204 })
    }
    if (url.endsWith('/messages') && method === 'POST') {
      return stream((controller) => {
        api.accept = () => controller.enqueue(new TextEncoder().encode(': accepted\n\n'))
      })
    }
    if (url.endsWith('/stream')) {
      api.streams++
      return stream()
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

it('stops a reply when the API has accepted the prompt, not before', async () => {
  vi.useFakeTimers()
  const api = silentApi()
  const state = scope.run(() => useConversation(ID))!
  void state.send('Hello')
  await vi.advanceTimersByTimeAsync(1000)
  void state.stop()
  await vi.advanceTimersByTimeAsync(1000)
  expect(api.cancelled).toBe(0)

  api.accept()
  await vi.advanceTimersByTimeAsync(1000)
  expect(api.cancelled).toBe(1)
})
