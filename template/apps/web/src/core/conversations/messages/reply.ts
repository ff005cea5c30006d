import type { AnswerEvent, Message } from '../../client'

/** One node of the agent's graph and the texts that it has written so far. */
export interface Step {
  name: string
  done: boolean
  /** A node that runs several times, side by side too, writes several texts. */
  texts: { id: string; text: string }[]
}

/** What is known of an answer that is being given. */
export interface LiveAnswer {
  steps: Step[]
  /** The texts' order of appearance; the last one is what the reader follows. */
  current: string | null
  /** `lost`: the connection broke for good; how the answer goes on is not known. */
  status: 'running' | 'succeeded' | 'interrupted' | 'failed' | 'cancelled' | 'lost'
  error: string | null
}

export const newAnswer = (): LiveAnswer => ({
  steps: [],
  current: null,
  status: 'running',
  error: null,
})

/** Takes an event of the stream into `answer` and, where it is one, into `messages`. */
export function applyEvent(answer: LiveAnswer, messages: Message[], event: AnswerEvent): void {
  switch (event.type) {
    case 'token': {
      const step = stepOf(answer, event.step)
      let text = step.texts.find(({ id }) => id === event.message_id)
      if (!text) {
        text = { id: event.message_id, text: '' }
        step.texts.push(text)
        step.done = false
        answer.current = text.id
      }
      text.text += event.text
      break
    }
    case 'step':
      stepOf(answer, event.step).done = true
      break
    case 'message':
    case 'interrupt':
      // A stream that is attached to again repeats what is stored already.
      if (!messages.some(({ id }) => id === event.message.id)) messages.push(event.message)
      answer.current = null
      break
    case 'error':
      answer.error = event.detail
      break
    case 'done':
      answer.status = event.status
      // What is not stored of an answer that failed or was stopped stays in view.
      if (event.status === 'failed' || event.status === 'cancelled') break
      answer.current = null
      for (const step of answer.steps) step.done = true
  }
}

/** The text that is being written; empty between two texts. */
export function currentText(answer: LiveAnswer): string {
  const texts = answer.steps.flatMap((step) => step.texts)
  return texts.find(({ id }) => id === answer.current)?.text ?? ''
}

/** What to send again after a failure; a decision is none, as it would be taken for a new prompt. */
export function promptToRepeat(messages: Message[]): string | undefined {
  const last = messages.findLastIndex(({ role }) => role === 'user')
  return messages[last - 1]?.interrupt ? undefined : messages[last]?.content
}

function stepOf(answer: LiveAnswer, name: string): Step {
  let step = answer.steps.find((known) => known.name === name)
  if (!step) {
    step = { name, done: false, texts: [] }
    answer.steps.push(step)
    // A reactive array hands out its items as reactive objects.
    step = answer.steps.at(-1)!
  }
  return step
}
