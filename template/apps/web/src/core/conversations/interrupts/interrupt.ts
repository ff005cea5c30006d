import type { Interrupt } from '../../client'

/**
 * What an agent asks a human, read from an interrupt's value.
 *
 * - `text`: the value is a text; so is the answer.
 * - `actions`: tool calls, as LangChain's HumanInTheLoopMiddleware puts them; the answer is
 *   `{"decisions": [Decision, …]}`, or one Decision where it asks for each call by itself.
 * - `fields`: the agent's own object, such as `{"question": …, "draft": …}`; the answer is
 *   `{"type": "approve"}`, `{"type": "edit", "draft": …}` with every field, or
 *   `{"type": "reject", "message": …}`.
 */
export type Review =
  { kind: 'text' } | { kind: 'actions' | 'action' | 'fields'; items: ReviewItem[] }

export interface ReviewItem {
  name: string
  description: string
  /** What is approved or edited. */
  fields: Record<string, unknown>
  allowed: string[]
}

export type Decision =
  | { type: 'approve' }
  | { type: 'edit'; fields: Record<string, unknown> }
  | { type: 'reject'; message: string }

const DESCRIPTIONS: Record<string, string> = {
  approve: 'Approved',
  edit: 'Approved with changes',
  reject: 'Rejected',
}
const DECISIONS = ['approve', 'edit', 'reject']
// The API has made these the question's text.
const QUESTION = ['question', 'message', 'description']

export function readReview({ value }: Interrupt): Review {
  if (!isRecord(value)) return { kind: 'text' }
  if (Array.isArray(value.action_requests)) {
    const configs = Array.isArray(value.review_configs) ? value.review_configs.filter(isRecord) : []
    const items = value.action_requests.filter(isRecord).map((request) => {
      const config = configs.find(({ action_name }) => action_name === request.name)
      return actionItem(request, config?.allowed_decisions)
    })
    return { kind: 'actions', items }
  }
  if (value.type === 'tool_approval') return { kind: 'action', items: [actionItem(value)] }
  const fields = Object.fromEntries(
    Object.entries(value).filter(([key]) => !QUESTION.includes(key)),
  )
  const allowed = Object.keys(fields).length ? DECISIONS : ['approve', 'reject']
  return { kind: 'fields', items: [{ name: '', description: '', fields, allowed }] }
}

/** The value that resumes the agent; `decisions` are in the order of the review's items. */
export function resumeValue(review: Review, decisions: Decision[]): unknown {
  if (review.kind === 'fields') {
    const [decision] = decisions
    return decision?.type === 'edit' ? { type: 'edit', ...decision.fields } : decision
  }
  const answers = decisions.map((decision, index) => {
    if (decision.type !== 'edit') return decision
    const name = review.kind === 'text' ? '' : review.items[index]?.name
    return { type: 'edit', edited_action: { name, args: decision.fields } }
  })
  return review.kind === 'action' ? answers[0] : { decisions: answers }
}

/** A decision that was stored, in words; any other text as it is. */
export function describeDecision(content: string): string {
  let value: unknown
  try {
    value = JSON.parse(content)
  } catch {
    return content
  }
  const decisions = isRecord(value) && Array.isArray(value.decisions) ? value.decisions : [value]
  const words = decisions.map((decision) => {
    if (!isRecord(decision) || typeof decision.type !== 'string') return content
    const message = decision.message ? `: ${String(decision.message)}` : ''
    return (DESCRIPTIONS[decision.type] ?? decision.type) + message
  })
  return [...new Set(words)].join('\n')
}

function actionItem(request: Record<string, unknown>, allowed?: unknown): ReviewItem {
  return {
    name: String(request.name ?? ''),
    description: String(request.description ?? ''),
    fields: isRecord(request.args) ? request.args : {},
    allowed: Array.isArray(allowed) ? allowed.map(String) : DECISIONS,
  }
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
