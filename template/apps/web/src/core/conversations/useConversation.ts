import { useTimeoutFn } from '@vueuse/core'
import { computed, onScopeDispose, ref, watch } from 'vue'
import {
  cancelReply,
  listMessages,
  sendDecision,
  sendPrompt,
  streamReply,
  type Conversation,
  type Message,
  type Options,
  type ReplyEvent,
  type StreamReplyData,
} from '../client'
import { ApiError } from '../platform/api'
import { onReturn } from '../platform/onReturn'
import { applyEvent, newReply, type LiveReply } from './messages/reply'
import { useConversations } from './useConversations'

/** Milliseconds between two attempts to attach to a reply again. */
const REATTACH_DELAY = 1000
const REATTACH_ATTEMPTS = 30
/** Milliseconds after which a silent connection is dead: the API sends a heartbeat every 15 s. */
const SILENCE_LIMIT = 40_000

export type ConversationState = ReturnType<typeof useConversation>

/** A conversation: its messages, and the reply that is streamed. */
export function useConversation(id: string) {
  const path = { conversation_id: id }
  const { items, refresh } = useConversations()

  const conversation = ref<Conversation | null>(null)
  const messages = ref<Message[]>([])
  /** The cursor of earlier messages; null if all are loaded. */
  const before = ref<number | null>(null)
  const reply = ref<LiveReply | null>(null)
  const running = computed(() => reply.value?.status === 'running' && !reply.value.lost)
  /** Why the conversation could not be loaded. */
  const failure = ref<Error | null>(null)
  /** Whether the API has taken what is being sent: before that there is nothing to stop. */
  let taken: Promise<boolean> = Promise.resolve(true)

  // The list renames it.
  watch(
    () => items.value.find((item) => item.id === id),
    (item) => {
      if (item && conversation.value) conversation.value = item
    },
  )
  onReturn(catchUp)

  // Leaving the page ends the stream, not the run; the next visit attaches to it again.
  const reading = new AbortController()
  onScopeDispose(() => {
    reading.abort()
    // The list polls running conversations only, so it must have this status.
    if (running.value) void refresh(id).catch(() => undefined)
  })

  async function load(): Promise<void> {
    failure.value = null
    try {
      await reload()
    } catch (error) {
      // Messages that are shown stay.
      if (!messages.value.length) failure.value = error as Error
      return
    }
    reply.value = null
    if (conversation.value?.run_status === 'running') await follow(attach)
  }

  async function reload(): Promise<void> {
    conversation.value = await refresh(id)
    const page = (await listMessages({ path })).data
    const shown = new Set(page.items.map((message) => message.id))
    const earlier = messages.value.filter((m) => m.id > 0 && m.id < (page.items[0]?.id ?? 0))
    messages.value = [...earlier.filter((m) => !shown.has(m.id)), ...page.items]
    if (!earlier.length) before.value = page.before
  }

  /** Loads what another tab or device has changed. */
  async function catchUp(): Promise<void> {
    const known = conversation.value
    if (!known || running.value) return
    try {
      const { updated_at, run_status } = await refresh(id)
      if (running.value) return
      if (updated_at !== known.updated_at || run_status !== known.run_status) await load()
    } catch (error) {
      if (error instanceof ApiError && error.status === 404) failure.value = error
    }
  }

  async function loadEarlier(): Promise<void> {
    if (before.value === null) return
    const page = (await listMessages({ path, query: { before: before.value } })).data
    messages.value.unshift(...page.items)
    before.value = page.before
  }

  /** Sends a prompt; throws if the API refuses it, with the messages as before. */
  const send = (prompt: string) =>
    post(prompt, (options) => sendPrompt({ path, body: { prompt }, ...options }))

  /** Sends the decision on an interrupt; throws if the API refuses it, with the messages as before. */
  const decide = (interruptId: string | null, value: unknown) =>
    post(typeof value === 'string' ? value : JSON.stringify(value), (options) =>
      sendDecision({ path, body: { value, interrupt_id: interruptId }, ...options }),
    )

  async function stop(): Promise<void> {
    if (await taken) await cancelReply({ path })
  }

  async function post(content: string, open: OpenStream): Promise<void> {
    const message: Message = {
      id: -1,
      role: 'user',
      content,
      interrupt: null,
      incomplete: null,
      decision: null,
      result: null,
      steps: [],
      created_at: new Date().toISOString(),
    }
    messages.value.push(message)
    const acceptance = Promise.withResolvers<boolean>()
    taken = acceptance.promise
    try {
      await follow(open, () => acceptance.resolve(true))
    } catch (error) {
      messages.value = messages.value.filter((one) => one.id !== message.id)
      reply.value = null
      throw error
    } finally {
      acceptance.resolve(false)
      taken = Promise.resolve(true)
    }
  }

  /** Reads a stream to the end of the reply; attaches again when the connection breaks. */
  async function follow(open: OpenStream, onTaken?: () => void): Promise<void> {
    reply.value = newReply()
    let last: string | undefined
    let accepted = open === attach
    let silent = false
    let connection = new AbortController()
    const silence = useTimeoutFn(
      () => {
        silent = true
        connection.abort(new Error('silence'))
      },
      SILENCE_LIMIT,
      { immediate: false },
    )
    // The first prompt becomes the conversation's title.
    const onAccepted = async () => {
      accepted = true
      onTaken?.()
      conversation.value = await refresh(id).catch(() => conversation.value)
    }
    for (let attempt = 0; attempt < REATTACH_ATTEMPTS && running.value; attempt++) {
      let lost: unknown
      connection = new AbortController()
      silence.start()
      const { stream } = await (accepted ? attach : open)({
        signal: AbortSignal.any([reading.signal, connection.signal]),
        headers: last ? { 'Last-Event-ID': last } : undefined,
        // A retry by the client would send the prompt again.
        sseMaxRetryAttempts: 1,
        onSseError: (error) => (lost = error),
        // Called for heartbeats too.
        onSseEvent: (event) => {
          last = event.id ?? last
          if (!accepted) void onAccepted()
          attempt = 0
          silence.start()
        },
      })
      for await (const event of stream) applyEvent(reply.value, messages.value, event as ReplyEvent)
      silence.stop()
      if (reading.signal.aborted) return
      const refused = lost instanceof ApiError && lost.status >= 400 && lost.status < 500
      if (lost && (refused || !accepted)) throw lost
      if (silent) {
        reply.value.lost = true
        return load()
      }
      if (!accepted) void onAccepted()
      if (running.value) await new Promise((resolve) => setTimeout(resolve, REATTACH_DELAY))
    }
    // The prompt was accepted: a lost connection must not look like a refusal.
    const complete =
      !running.value &&
      (await reload().then(
        () => true,
        () => false,
      ))
    if (!complete) reply.value.lost = true
  }

  const attach: OpenStream = (options) => streamReply({ path, ...options })

  return {
    conversation,
    messages,
    before,
    reply,
    running,
    failure,
    load,
    loadEarlier,
    send,
    decide,
    stop,
  }
}

type StreamOptions = Omit<Options<StreamReplyData>, 'path' | 'url'>
type OpenStream = (options: StreamOptions) => Promise<{ stream: AsyncIterable<unknown> }>
