import type { DoneEvent, Message, ReplyEvent, ToolCall } from '../../client'

/** A node of the agent's graph with the texts that it has written so far, or a call of a tool. */
export interface Step {
  name: string
  done: boolean
  /** One text for each time that the node runs; parallel runs write theirs at the same time. */
  texts: { id: string; text: string }[]
  tool: ToolCall | null
}

/** A reply while it is streamed. */
export interface LiveReply {
  steps: Step[]
  /** The text that was started last, by its id; null between two texts. */
  current: string | null
  status: 'running' | DoneEvent['status']
  /** The user stopped the run. */
  cancelled: boolean
  /** The connection broke for good; the run may still go on. */
  lost: boolean
  /** What the reply waits for, such as a service that is starting. */
  waiting: string | null
  error: string | null
}

export const newReply = (): LiveReply => ({
  steps: [],
  current: null,
  status: 'running',
  cancelled: false,
  lost: false,
  waiting: null,
  error: null,
})

/** Applies an event of the stream to `reply`; a message is added to `messages`. */
export function applyEvent(reply: LiveReply, messages: Message[], event: ReplyEvent): void {
  reply.waiting = event.type === 'waiting' ? event.detail : null
  switch (event.type) {
    case 'token': {
      const step = stepOf(reply, event.step)
      let text = step.texts.find(({ id }) => id === event.message_id)
      if (!text) {
        text = { id: event.message_id, text: '' }
        step.texts.push(text)
        step.done = false
        reply.current = text.id
      }
      text.text += event.text
      break
    }
    case 'step':
      stepOf(reply, event.step).done = true
      break
    case 'tool': {
      const step = toolStep(reply, event.step, event.tool)
      const news = Object.entries(event.tool).filter(([, value]) => value !== null && value !== '')
      Object.assign(step.tool!, Object.fromEntries(news))
      step.done = step.tool!.result !== null
      break
    }
    case 'message':
    case 'interrupt':
      // After a reconnection, the stream repeats messages that are stored already.
      if (!messages.some(({ id }) => id === event.message.id)) messages.push(event.message)
      reply.current = null
      break
    case 'error':
      reply.error = event.detail
      break
    case 'done':
      reply.status = event.status
      reply.cancelled = event.cancelled
      // The text of a failed or stopped reply stays in view, even if it is not stored.
      if (event.cancelled || event.status === 'error' || event.status === 'timeout') break
      reply.current = null
      for (const step of reply.steps) step.done = !step.tool || step.tool.result !== null
  }
}

/** The text that is being written; empty between two texts. */
export function currentText(reply: LiveReply): string {
  const texts = reply.steps.flatMap((step) => step.texts)
  return texts.find(({ id }) => id === reply.current)?.text ?? ''
}

/** The last prompt, to be sent again; undefined after a decision, as that is not a prompt. */
export function promptToRepeat(messages: Message[]): string | undefined {
  const last = messages.findLastIndex(({ role }) => role === 'user')
  return messages[last - 1]?.interrupt ? undefined : messages[last]?.content
}

function stepOf(reply: LiveReply, name: string): Step {
  const step = reply.steps.find((known) => known.name === name && !known.tool)
  return step ?? added(reply, { name, done: false, texts: [], tool: null })
}

function toolStep(reply: LiveReply, name: string, tool: ToolCall): Step {
  const step = reply.steps.find((known) => known.tool?.id === tool.id)
  return step ?? added(reply, { name, done: false, texts: [], tool: { ...tool } })
}

function added(reply: LiveReply, step: Step): Step {
  reply.steps.push(step)
  // Changes must go through the array, as only its items are reactive.
  return reply.steps.at(-1)!
}
