import type { Conversation } from '../../client'

const DAY = 24 * 60 * 60 * 1000

/** Conversations under the headings "Today", "Yesterday" and so on, in the given order. */
export function groupByAge(items: Conversation[], now: Date) {
  const midnight = new Date(now).setHours(0, 0, 0, 0)
  const groups = [
    { label: 'Today', since: midnight },
    { label: 'Yesterday', since: midnight - DAY },
    { label: 'Last 7 days', since: midnight - 7 * DAY },
    { label: 'Last 30 days', since: midnight - 30 * DAY },
    { label: 'Older', since: -Infinity },
  ].map(({ label, since }) => ({ label, since, items: [] as Conversation[] }))
  for (const item of items) {
    groups.find(({ since }) => Date.parse(item.updated_at) >= since)?.items.push(item)
  }
  return groups.filter((group) => group.items.length)
}
