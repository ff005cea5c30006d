import type { Interrupt } from '../../client'

/**
 * An interrupt's value, by its form; each form has its form of decision.
 *
 * - `text`: a text, which is decided with a text.
 * - `actions`: tool calls, as LangChain's HumanInTheLoopMiddleware sends them; decided with
 *   `{"decisions": [Decision, …]}`.
 * - `action`: one tool call; decided with one Decision.
 * - `fields`: any other object, such as `{"question": …, "draft": …}`; decided with
 *   `{"type": "approve"}`, `{"type": "edit", "draft": …}` with every field, or
 *   `{"type": "reject", "message": …}`.
 */
export type InterruptContent =
  { kind: 'text' } | { kind: 'actions' | 'action' | 'fields'; items: DecisionItem[] }

/** What one decision is about, such as a tool call. */
export interface DecisionItem {
  /** The tool's name; empty for `fields`. */
  name: string
  description: string
  /** The values that a user approves, edits or rejects. */
  fields: Record<string, unknown>
  /** Types of decisions that the agent accepts. */
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
// Fields that the API puts into the message's text.
const QUESTION = ['question', 'message', 'description']

/** Reads the forms of LangChain's middleware and of agents that call `interrupt()` themselves. */
export function readInterrupt({ value }: Interrupt): InterruptContent {
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

/** The value that resumes the agent; `decisions` are in the order of the items. */
export function resumeValue(content: InterruptContent, decisions: Decision[]): unknown {
  if (content.kind === 'fields') {
    const [decision] = decisions
    return decision?.type === 'edit' ? { type: 'edit', ...decision.fields } : decision
  }
  const values = decisions.map((decision, index) => {
    if (decision.type !== 'edit') return decision
    const name = content.kind === 'text' ? '' : content.items[index]?.name
    return { type: 'edit', edited_action: { name, args: decision.fields } }
  })
  return content.kind === 'action' ? values[0] : { decisions: values }
}

/** A stored decision in words; any other text unchanged. */
export function describeDecision(stored: string): string {
  let value: unknown
  try {
    value = JSON.parse(stored)
  } catch {
    return stored
  }
  const decisions = isRecord(value) && Array.isArray(value.decisions) ? value.decisions : [value]
  const words = decisions.map((decision) => {
    if (!isRecord(decision) || typeof decision.type !== 'string') return stored
    const message = decision.message ? `: ${String(decision.message)}` : ''
    return (DESCRIPTIONS[decision.type] ?? decision.type) + message
  })
  return [...new Set(words)].join('\n')
}

function actionItem(request: Record<string, unknown>, allowed?: unknown): DecisionItem {
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
