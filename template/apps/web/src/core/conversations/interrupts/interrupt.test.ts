import { describe, expect, it } from 'vitest'
import { describeDecision, readInterrupt, resumeValue, takenDecisions } from './interrupt'

const toolCall = {
  id: 'i1',
  value: {
    action_requests: [{ name: 'send', args: { to: 'a@example.com' }, description: 'Send it?' }],
    review_configs: [{ action_name: 'send', allowed_decisions: ['approve', 'reject'] }],
  },
}

describe('an interrupt', () => {
  it('offers the decisions that the agent allows', () => {
    expect(readInterrupt(toolCall)).toMatchObject({
      kind: 'actions',
      items: [{ name: 'send', fields: { to: 'a@example.com' }, allowed: ['approve', 'reject'] }],
    })
  })

  it('is decided in the form of LangChain', () => {
    const edit = { type: 'edit' as const, fields: { to: 'b@example.com' } }
    expect(resumeValue(readInterrupt(toolCall), [edit])).toEqual({
      decisions: [{ type: 'edit', edited_action: { name: 'send', args: { to: 'b@example.com' } } }],
    })
  })

  it.each(['Send it?\n\nTool: send\nArgs: {"to": 1}', 'Send it?'])(
    'shows its call once: %j',
    (description) => {
      const request = { name: 'send', args: { to: 1 }, description }
      const value = { action_requests: [request], review_configs: [] }
      expect(readInterrupt({ id: 'i1', value })).toMatchObject({
        items: [{ description: 'Send it?' }],
      })
    },
  )

  it.each([
    toolCall,
    { id: 'i2', value: { type: 'tool_approval', name: 'send', args: { to: 'a' } } },
    { id: 'i3', value: { question: 'Send it?', to: 'a' } },
  ])('$id keeps the values that a person approved', (interrupt) => {
    const content = readInterrupt(interrupt)
    const edit = { type: 'edit' as const, fields: { to: 'b@example.com' } }
    expect(takenDecisions(content, resumeValue(content, [edit]))).toEqual([edit])
  })

  it('of a plain text is decided with a text', () => {
    expect(readInterrupt({ id: 'i2', value: 'Which market?' })).toEqual({ kind: 'text' })
  })

  it.each([
    ['{"decisions": [{"type": "reject", "message": "Too long"}]}', 'Rejected: Too long'],
    ['{"decisions": [{"type": "respond", "message": "On Monday"}]}', 'Answered: On Monday'],
    [
      '{"decisions": [{"type": "edit", "edited_action": {"args": {"to": "b@example.com"}}}]}',
      'Approved with changes\nTo: b@example.com',
    ],
    [
      '{"decisions": [{"type": "edit", "edited_action": {"args": {"to": ["a", "b"]}}}]}',
      'Approved with changes\nTo: a, b',
    ],
    ['{"type": "approve"}', 'Approved'],
    ['Germany', 'Germany'],
    ['42', '42'],
  ])('shows the stored decision %s as %s', (content, words) => {
    expect(describeDecision(content, toolCall)).toBe(words)
  })
})
