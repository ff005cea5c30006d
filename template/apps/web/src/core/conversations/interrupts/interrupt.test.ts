import { describe, expect, it } from 'vitest'
import { describeDecision, readReview, resumeValue } from './interrupt'

const approval = {
  id: 'i1',
  value: {
    action_requests: [{ name: 'send', args: { to: 'a@example.com' }, description: 'Send it?' }],
    review_configs: [{ action_name: 'send', allowed_decisions: ['approve', 'reject'] }],
  },
}

describe('a review', () => {
  it('offers the decisions that the agent allows', () => {
    expect(readReview(approval)).toMatchObject({
      kind: 'actions',
      items: [{ name: 'send', fields: { to: 'a@example.com' }, allowed: ['approve', 'reject'] }],
    })
  })

  it('answers in the form of LangChain', () => {
    const edit = { type: 'edit' as const, fields: { to: 'b@example.com' } }
    expect(resumeValue(readReview(approval), [edit])).toEqual({
      decisions: [{ type: 'edit', edited_action: { name: 'send', args: { to: 'b@example.com' } } }],
    })
  })

  it('takes a plain question as one that is answered with a text', () => {
    expect(readReview({ id: 'i2', value: 'Which market?' })).toEqual({ kind: 'text' })
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
