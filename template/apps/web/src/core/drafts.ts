import { useSessionStorage } from '@vueuse/core'

// Prompts on their way from the page that starts a conversation to the conversation's own.
const handedOver = new Map<string, string>()

/** What is being written, kept in this tab over reloads and a new sign-in. */
export const useDraft = (key: string) => useSessionStorage(`draft:${key}`, '')

/** Leaves a prompt to be sent by the page of the conversation `id`. */
export function handOver(id: string, prompt: string): void {
  handedOver.set(id, prompt)
}

/** The prompt that was left for the conversation `id`, once. */
export function takeOver(id: string): string | undefined {
  const prompt = handedOver.get(id)
  handedOver.delete(id)
  return prompt
}
