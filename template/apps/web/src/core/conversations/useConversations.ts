import { computed, ref } from 'vue'
import {
  deleteConversation,
  getConversation,
  listConversations,
  updateConversation,
  type Conversation,
} from '../client'
import { onSessionEnd } from '../platform/api'

/** Conversations in a page of the list. */
const PAGE = 50
const LARGEST_PAGE = 200

const items = ref<Conversation[]>([])
const next = ref<string | null>(null)
const loaded = ref(false)
const error = ref<Error | null>(null)

// The next user of this tab must not see them.
onSessionEnd(() => {
  items.value = []
  loaded.value = false
})

/** The user's conversations, the most recently used first. */
export function useConversations() {
  return {
    items,
    error,
    loaded,
    more: computed(() => next.value !== null),
    load,
    loadMore,
    loadAll,
    refresh,
    rename,
    remove,
  }
}

async function load(): Promise<void> {
  try {
    const page = (await listConversations({ query: { limit: PAGE } })).data
    // Older pages stay.
    const oldest = page.next && page.items.at(-1)?.updated_at
    const older = items.value.filter((item) => oldest && item.updated_at < oldest)
    items.value = [...page.items, ...older]
    if (!older.length) next.value = page.next
    error.value = null
  } catch (problem) {
    error.value = problem as Error
  } finally {
    loaded.value = true
  }
}

async function loadMore(limit = PAGE): Promise<void> {
  if (!next.value) return
  const page = (await listConversations({ query: { limit, cursor: next.value } })).data
  const known = new Set(items.value.map(({ id }) => id))
  items.value.push(...page.items.filter(({ id }) => !known.has(id)))
  next.value = page.next
}

/** Loads the whole list, for a search by title. */
async function loadAll(): Promise<void> {
  while (next.value) await loadMore(LARGEST_PAGE)
}

/** Loads a conversation's current title and status into the list. */
async function refresh(id: string): Promise<Conversation> {
  const conversation = (await getConversation({ path: { conversation_id: id } })).data
  items.value = [conversation, ...items.value.filter((item) => item.id !== id)].sort((a, b) =>
    b.updated_at.localeCompare(a.updated_at),
  )
  return conversation
}

async function rename(id: string, title: string): Promise<void> {
  await updateConversation({ path: { conversation_id: id }, body: { title } })
  await refresh(id)
}

async function remove(id: string): Promise<void> {
  await deleteConversation({ path: { conversation_id: id } })
  items.value = items.value.filter((item) => item.id !== id)
}
