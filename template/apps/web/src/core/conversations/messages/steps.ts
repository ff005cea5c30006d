import type { Message } from '../../client'
import { isRecord, label } from './data'
import type { Step } from './reply'

// Names that LangChain gives the nodes of an agent.
const THINKING = ['model', 'agent', 'call_model']
const TOOLS = ['tools', 'tool_node']

/** The stored steps of a reply; a call without a result was waiting when the reply ended. */
export function storedSteps(message: Message): Step[] {
  return message.steps.map(({ step, tool }) => ({
    name: step,
    done: !tool || tool.result !== null,
    texts: [],
    tool,
  }))
}

/** The steps without nodes that only run the tools, which are listed themselves. */
export function visibleSteps(steps: Step[]): Step[] {
  return steps.filter((step) => step.tool || !TOOLS.includes(step.name))
}

/** A step in words. */
export function stepLabel({ name, tool }: Step): string {
  if (tool) return label(tool.name)
  return THINKING.includes(name) ? 'Think' : label(name)
}

/** What a tool returned; objects and lists are often returned as JSON. */
export function parsed(result: string): unknown {
  try {
    const value: unknown = JSON.parse(result)
    return isRecord(value) || Array.isArray(value) ? value : result
  } catch {
    return result
  }
}
