import { useSessionStorage } from '@vueuse/core'
import { useSession } from '../accounts/useSession'

// Prompts on their way from the page that starts a conversation to the conversation's own.
const handedOver = new Map<string, string>()

/** What the user is writing, kept in this tab over reloads and a new sign-in of the same user. */
export const useDraft = (key: string) =>
  useSessionStorage(`draft:${useSession().account.value?.id}:${key}`, '')

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
