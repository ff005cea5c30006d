// Data of agents, in a form that a person reads.

const MAX_COLUMNS = 6

/** A list of flat objects as a table; null if it is anything else. */
export function asTable(value: unknown): { columns: string[]; rows: unknown[][] } | null {
  if (!Array.isArray(value) || !value.length || !value.every(isFlat)) return null
  const columns = [...new Set(value.flatMap(Object.keys))]
  if (!columns.length || columns.length > MAX_COLUMNS) return null
  return { columns, rows: value.map((row) => columns.map((name) => row[name])) }
}

/** A value without parts as text; an empty list or object as a dash. */
export function asText(value: unknown): string {
  if (typeof value === 'boolean') return value ? 'Yes' : 'No'
  if (value === null || value === undefined || typeof value === 'object') return '–'
  return String(value)
}

/** A name in words: "write_draft" becomes "Write draft". */
export function label(name: string): string {
  const words = name.replace(/[_-]+/g, ' ').trim()
  return words.charAt(0).toUpperCase() + words.slice(1)
}

export function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function isFlat(value: unknown): value is Record<string, unknown> {
  return (
    isRecord(value) && Object.values(value).every((one) => one === null || typeof one !== 'object')
  )
}
