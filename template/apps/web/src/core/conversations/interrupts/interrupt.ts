import type { Interrupt } from '../../client'
import { isRecord, label } from '../messages/data'

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
 *
 * A tool call may also allow `{"type": "respond", "message": …}`: the person answers for the tool.
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
  | { type: 'reject' | 'respond'; message: string }

const DESCRIPTIONS: Record<string, string> = {
  approve: 'Approved',
  edit: 'Approved with changes',
  reject: 'Rejected',
  respond: 'Answered',
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

/** The decisions in a value that has resumed the agent, in the order of the items. */
export function takenDecisions(content: InterruptContent, value: unknown): Decision[] {
  const values = isRecord(value) && Array.isArray(value.decisions) ? value.decisions : [value]
  return values.filter(isRecord).map(({ type, ...rest }) => {
    if (type !== 'edit') return { type, message: '', ...rest } as Decision
    const action = rest.edited_action
    if (content.kind === 'fields') return { type, fields: rest }
    return { type, fields: isRecord(action) && isRecord(action.args) ? action.args : {} }
  })
}

/** The value of a decision that is stored as text only. */
export function storedValue(stored: string): unknown {
  try {
    return JSON.parse(stored)
  } catch {
    return stored
  }
}

/** A stored decision in words, with the values that a person has changed; other text unchanged. */
export function describeDecision(stored: string, interrupt: Interrupt): string {
  const content = readInterrupt(interrupt)
  const decisions = takenDecisions(content, storedValue(stored))
  if (!decisions.length) return stored
  const words = decisions.map((decision, index) => {
    const name = DESCRIPTIONS[decision.type]
    if (!name) return stored
    if (decision.type === 'edit') {
      const before = content.kind === 'text' ? {} : content.items[index]?.fields
      return [name, ...changes(before ?? {}, decision.fields).map(inWords)].join('\n')
    }
    return 'message' in decision && decision.message ? `${name}: ${decision.message}` : name
  })
  return [...new Set(words)].join('\n')
}

/** The fields that differ from those that the agent had proposed. */
export function changes(
  before: Record<string, unknown>,
  after: Record<string, unknown>,
): [string, unknown][] {
  return Object.entries(after).filter(
    ([name, value]) => JSON.stringify(value) !== JSON.stringify(before[name]),
  )
}

function inWords([name, value]: [string, unknown]): string {
  const isList = Array.isArray(value) && value.every((entry) => typeof entry === 'string')
  const text = isList ? value.join(', ') : value
  return `${label(name)}: ${typeof text === 'string' ? text : JSON.stringify(text)}`
}

function actionItem(request: Record<string, unknown>, allowed?: unknown): DecisionItem {
  return {
    name: String(request.name ?? ''),
    // LangChain's own description repeats the call as Python's text.
    description: String(request.description ?? '').replace(/\s*Tool: .*\nArgs: [^]*$/, ''),
    fields: isRecord(request.args) ? request.args : {},
    allowed: Array.isArray(allowed) ? allowed.map(String) : DECISIONS,
  }
}
