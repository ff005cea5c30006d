import { computed, onScopeDispose, ref } from 'vue'
import { ApiError } from '../platform/api'
import {
  cancelAnswer,
  listMessages,
  resumeAnswer,
  sendMessage,
  streamAnswer,
  type AnswerEvent,
  type Conversation,
  type Message,
} from '../client'
import { useConversations } from './useConversations'
import { applyEvent, newAnswer, type LiveAnswer } from './messages/reply'

/** Milliseconds between two attempts to attach to an answer again. */
const REATTACH_DELAY = 1000
const REATTACH_ATTEMPTS = 30

export type ConversationState = ReturnType<typeof useConversation>

/** One conversation: its messages, and the answer that is being given. */
export function useConversation(id: string) {
  const path = { conversation_id: id }
  const { refresh } = useConversations()

  const conversation = ref<Conversation | null>(null)
  const messages = ref<Message[]>([])
  /** The cursor of earlier messages; null if all are shown. */
  const before = ref<number | null>(null)
  const answer = ref<LiveAnswer | null>(null)
  const running = computed(() => answer.value?.status === 'running')
  /** Why the conversation could not be loaded. */
  const failure = ref<Error | null>(null)

  // Leaving the page stops the reading only; the answer goes on and is attached to again.
  const reading = new AbortController()
  onScopeDispose(() => {
    reading.abort()
    // The list may not know yet that an answer is running.
    if (running.value) void refresh(id).catch(() => undefined)
  })

  async function load(): Promise<void> {
    failure.value = null
    try {
      await reload()
    } catch (error) {
      // What is shown already stays.
      if (!messages.value.length) failure.value = error as Error
      return
    }
    answer.value = null
    if (conversation.value?.status === 'running') await follow(attach)
  }

  async function reload(): Promise<void> {
    conversation.value = await refresh(id)
    const page = (await listMessages({ path })).data
    const shown = new Set(page.items.map((message) => message.id))
    const earlier = messages.value.filter((m) => m.id > 0 && m.id < (page.items[0]?.id ?? 0))
    messages.value = [...earlier.filter((m) => !shown.has(m.id)), ...page.items]
    if (!earlier.length) before.value = page.before
  }

  async function loadEarlier(): Promise<void> {
    if (before.value === null) return
    const page = (await listMessages({ path, query: { before: before.value } })).data
    messages.value.unshift(...page.items)
    before.value = page.before
  }

  /** Sends a prompt. Rejects if it was not accepted, and then nothing has changed. */
  const send = (prompt: string) =>
    say(prompt, (options) => sendMessage({ path, body: { prompt }, ...options }))

  /** Answers an interrupt. Rejects if the answer was not accepted. */
  const resume = (interruptId: string | null, value: unknown) =>
    say(typeof value === 'string' ? value : JSON.stringify(value), (options) =>
      resumeAnswer({ path, body: { value, interrupt_id: interruptId }, ...options }),
    )

  async function stop(): Promise<void> {
    await cancelAnswer({ path })
  }

  async function say(content: string, open: OpenStream): Promise<void> {
    const created_at = new Date().toISOString()
    const draft: Message = {
      id: -1,
      role: 'user',
      content,
      interrupt: null,
      incomplete: null,
      created_at,
    }
    messages.value.push(draft)
    try {
      await follow(open)
    } catch (error) {
      messages.value = messages.value.filter((message) => message.id !== draft.id)
      answer.value = null
      throw error
    }
  }

  /** Reads a stream to the end of the answer; attaches again when the connection is lost. */
  async function follow(open: OpenStream): Promise<void> {
    answer.value = newAnswer()
    let last: string | undefined
    let accepted = open === attach
    // A first prompt gives the conversation its title.
    const onAccepted = async () => {
      accepted = true
      conversation.value = await refresh(id).catch(() => conversation.value)
    }
    for (let attempt = 0; attempt < REATTACH_ATTEMPTS && running.value; attempt++) {
      let lost: unknown
      const { stream } = await (accepted ? attach : open)({
        signal: reading.signal,
        headers: last ? { 'Last-Event-ID': last } : undefined,
        // It would send the prompt again.
        sseMaxRetryAttempts: 1,
        onSseError: (error) => (lost = error),
        onSseEvent: (event) => (last = event.id ?? last),
      })
      for await (const event of stream) {
        if (!accepted) void onAccepted()
        attempt = 0
        applyEvent(answer.value, messages.value, event as AnswerEvent)
      }
      if (reading.signal.aborted) return
      const refused = lost instanceof ApiError && lost.status >= 400 && lost.status < 500
      if (lost && (refused || !accepted)) throw lost
      accepted = true
      if (running.value) await new Promise((resolve) => setTimeout(resolve, REATTACH_DELAY))
    }
    // The prompt was accepted: that its end cannot be read must not look like a refusal.
    const complete =
      !running.value &&
      (await reload().then(
        () => true,
        () => false,
      ))
    if (!complete) answer.value.status = 'lost'
  }

  const attach: OpenStream = (options) => streamAnswer({ path, ...options })

  return {
    conversation,
    messages,
    before,
    answer,
    running,
    failure,
    load,
    loadEarlier,
    send,
    resume,
    stop,
  }
}

interface StreamOptions {
  signal: AbortSignal
  headers: Record<string, string> | undefined
  sseMaxRetryAttempts: number
  onSseError: (error: unknown) => void
  onSseEvent: (event: { id?: string }) => void
}

type OpenStream = (options: StreamOptions) => Promise<{ stream: AsyncIterable<unknown> }>
