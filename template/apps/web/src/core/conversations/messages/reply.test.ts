import { describe, expect, it } from 'vitest'
import type { ReplyEvent, Message } from '../../client'
import { applyEvent, currentText, newReply, promptToRepeat } from './reply'

const token = (step: string, message_id: string, text: string): ReplyEvent => ({
  type: 'token',
  step,
  message_id,
  text,
})

function play(...events: ReplyEvent[]) {
  const reply = newReply()
  const messages: Message[] = []
  for (const event of events) applyEvent(reply, messages, event)
  return { reply, messages }
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
  decision: null,
  result: null,
  steps: [],
  created_at: '2026-01-01T00:00:00Z',
})

describe('applyEvent', () => {
  it('shows what a reply waits for until its next event', () => {
    const waiting: ReplyEvent = { type: 'waiting', detail: 'The service is starting.' }
    expect(play(waiting).reply.waiting).toBe('The service is starting.')
    expect(play(waiting, { type: 'waiting', detail: null }).reply.waiting).toBeNull()
    expect(play(waiting, token('writer', 'a', 'One')).reply.waiting).toBeNull()
  })

  it('keeps the texts of writers that work side by side apart', () => {
    const { reply } = play(
      token('writer', 'a', 'One '),
      token('writer', 'b', 'Two '),
      token('writer', 'a', 'and on'),
    )
    expect(reply.steps).toEqual([
      {
        name: 'writer',
        done: false,
        tool: null,
        texts: [
          { id: 'a', text: 'One and on' },
          { id: 'b', text: 'Two ' },
        ],
      },
    ])
    expect(currentText(reply)).toBe('Two ')
  })

  it('lists a step that writes nothing', () => {
    const { reply } = play({ type: 'step', step: 'look_up' })
    expect(reply.steps).toEqual([{ name: 'look_up', done: true, texts: [], tool: null }])
  })

  it('joins what a tool returned to its call', () => {
    const call = { id: 'c1', name: 'search', arguments: { word: 'lamp' }, result: null }
    const { reply } = play(
      { type: 'tool', step: 'model', tool: { ...call, failed: false } },
      {
        type: 'tool',
        step: 'tools',
        tool: { id: 'c1', name: '', arguments: null, result: 'Two lamps', failed: false },
      },
    )
    expect(reply.steps).toEqual([
      {
        name: 'model',
        done: true,
        texts: [],
        tool: { ...call, result: 'Two lamps', failed: false },
      },
    ])
  })

  it('adds a message once that is streamed twice', () => {
    const event: ReplyEvent = { type: 'message', message: message('assistant', 'Done.') }
    expect(play(event, event).messages).toEqual([event.message])
  })

  it('ends with the status and the reason', () => {
    const { reply } = play(
      token('writer', 'a', 'Half of'),
      { type: 'error', detail: 'The agent failed.' },
      { type: 'done', status: 'error', cancelled: false },
    )
    expect(reply).toMatchObject({ status: 'error', error: 'The agent failed.' })
  })

  it.each([
    ['failed', { status: 'error', cancelled: false }],
    ['timed out', { status: 'timeout', cancelled: false }],
    ['was stopped', { status: 'interrupted', cancelled: true }],
  ] as const)('keeps the text of a reply that %s', (_, end) => {
    const { reply } = play(token('writer', 'a', 'Half of'), { type: 'done', ...end })
    expect(currentText(reply)).toBe('Half of')
    expect(reply.steps[0]!.done).toBe(false)
  })
})

describe('a stopped reply', () => {
  it('of which a part is stored shows that part once', () => {
    const part: Message = { ...message('assistant', 'Half of'), incomplete: 'interrupted' }
    const { reply, messages } = play(
      token('writer', 'a', 'Half of'),
      { type: 'message', message: part },
      { type: 'done', status: 'interrupted', cancelled: true },
    )
    expect(messages).toEqual([part])
    expect(currentText(reply)).toBe('')
  })
})

describe('promptToRepeat', () => {
  it('is the last prompt', () => {
    const messages = [message('user', 'One'), message('assistant', '1'), message('user', 'Two')]
    expect(promptToRepeat(messages)).toBe('Two')
  })

  it('is never a decision', () => {
    const interrupt = message('assistant', 'Send it?', { id: 'a', value: 'Send it?' })
    const messages = [message('user', 'Write'), interrupt, message('user', '{"type":"approve"}')]
    expect(promptToRepeat(messages)).toBeUndefined()
  })
})
