import { describe, expect, it } from 'vitest'
import { describeDecision, readInterrupt, resumeValue } from './interrupt'

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

  it('of a plain text is decided with a text', () => {
    expect(readInterrupt({ id: 'i2', value: 'Which market?' })).toEqual({ kind: 'text' })
  })

  it.each([
    ['{"decisions": [{"type": "reject", "message": "Too long"}]}', 'Rejected: Too long'],
    ['{"type": "approve"}', 'Approved'],
    ['Germany', 'Germany'],
    ['42', '42'],
  ])('shows the stored decision %s as %s', (content, words) => {
    expect(describeDecision(content)).toBe(words)
  })
})
