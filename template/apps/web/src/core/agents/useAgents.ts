import { ref } from 'vue'
import { listAgents, type Agent } from '../client'
import { onSessionEnd } from '../platform/api'

const agents = ref<Agent[]>([])
const loaded = ref(false)
const error = ref<Error | null>(null)

onSessionEnd(() => {
  agents.value = []
  loaded.value = false
})

/** The agents that the user has access to; for administrators also those that do not load. */
export function useAgents() {
  return { agents, loaded, error, load, find }
}

async function load(): Promise<void> {
  try {
    agents.value = (await listAgents()).data
    error.value = null
  } catch (problem) {
    error.value = problem as Error
  } finally {
    loaded.value = true
  }
}

function find(name: string): Agent | undefined {
  return agents.value.find((agent) => agent.name === name)
}
