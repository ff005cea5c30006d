import { describe, expect, it } from 'vitest'
import type { AnswerEvent, Message } from '../client'
import { applyEvent, currentText, newAnswer } from './answer'

const token = (step: string, message_id: string, text: string): AnswerEvent => ({
  type: 'token',
  step,
  message_id,
  text,
})

function play(...events: AnswerEvent[]) {
  const answer = newAnswer()
  const messages: Message[] = []
  for (const event of events) applyEvent(answer, messages, event)
  return { answer, messages }
}

describe('applyEvent', () => {
  it('keeps the texts of writers that work side by side apart', () => {
    const { answer } = play(
      token('writer', 'a', 'One '),
      token('writer', 'b', 'Two '),
      token('writer', 'a', 'and on'),
    )
    expect(answer.steps).toEqual([
      {
        name: 'writer',
        done: false,
        texts: [
          { id: 'a', text: 'One and on' },
          { id: 'b', text: 'Two ' },
        ],
      },
    ])
    expect(currentText(answer)).toBe('Two ')
  })

  it('lists a step that writes nothing', () => {
    const { answer } = play({ type: 'step', step: 'look_up' })
    expect(answer.steps).toEqual([{ name: 'look_up', done: true, texts: [] }])
  })

  it('takes an answer that is streamed twice once', () => {
    const message: Message = {
      id: 7,
      role: 'assistant',
      content: 'Done.',
      interrupt: null,
      created_at: '2026-01-01T00:00:00Z',
    }
    const { messages } = play({ type: 'message', message }, { type: 'message', message })
    expect(messages).toEqual([message])
  })

  it('ends with the status and the reason', () => {
    const { answer } = play(
      token('writer', 'a', 'Half of'),
      { type: 'error', detail: 'The agent failed.' },
      { type: 'done', status: 'failed' },
    )
    expect(answer).toMatchObject({ status: 'failed', error: 'The agent failed.', current: null })
  })
})
