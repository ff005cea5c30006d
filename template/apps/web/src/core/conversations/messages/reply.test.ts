import { describe, expect, it } from 'vitest'
import type { AnswerEvent, Message } from '../../client'
import { applyEvent, currentText, newAnswer, promptToRepeat } from './reply'

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

const message = (
  role: Message['role'],
  content: string,
  interrupt: Message['interrupt'] = null,
) => ({
  id: 7,
  role,
  content,
  interrupt,
  incomplete: null,
  created_at: '2026-01-01T00:00:00Z',
})

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
    const event: AnswerEvent = { type: 'message', message: message('assistant', 'Done.') }
    expect(play(event, event).messages).toEqual([event.message])
  })

  it('ends with the status and the reason', () => {
    const { answer } = play(
      token('writer', 'a', 'Half of'),
      { type: 'error', detail: 'The agent failed.' },
      { type: 'done', status: 'failed' },
    )
    expect(answer).toMatchObject({ status: 'failed', error: 'The agent failed.' })
  })

  it.each(['failed', 'cancelled'] as const)('that is %s keeps what was written', (status) => {
    const { answer } = play(token('writer', 'a', 'Half of'), { type: 'done', status })
    expect(currentText(answer)).toBe('Half of')
    expect(answer.steps[0]!.done).toBe(false)
  })
})

describe('an answer of which a part is stored', () => {
  it('is shown by what is stored', () => {
    const part: Message = { ...message('assistant', 'Half of'), incomplete: 'cancelled' }
    const { answer, messages } = play(
      token('writer', 'a', 'Half of'),
      { type: 'message', message: part },
      { type: 'done', status: 'cancelled' },
    )
    expect(messages).toEqual([part])
    expect(currentText(answer)).toBe('')
  })
})

describe('promptToRepeat', () => {
  it('is the last prompt', () => {
    const messages = [message('user', 'One'), message('assistant', '1'), message('user', 'Two')]
    expect(promptToRepeat(messages)).toBe('Two')
  })

  it('is never a decision', () => {
    const question = message('assistant', 'Send it?', { id: 'a', value: 'Send it?' })
    const messages = [message('user', 'Write'), question, message('user', '{"type":"approve"}')]
    expect(promptToRepeat(messages)).toBeUndefined()
  })
})
