import { useSessionStorage } from '@vueuse/core'
import { useSession } from '../accounts/useSession'

// First prompts, by conversation: from the page that creates one to the page that sends them.
const handedOver = new Map<string, string>()

/** The text in a prompt box; kept in this tab, for this user, over reloads and a new sign-in. */
export const useDraft = (key: string) =>
  useSessionStorage(`draft:${useSession().account.value?.id}:${key}`, '')

/** Hands the first prompt to the page of the conversation `id`. */
export function handOver(id: string, prompt: string): void {
  handedOver.set(id, prompt)
}

/** The prompt that was handed over to the conversation `id`; undefined when asked again. */
export function takeOver(id: string): string | undefined {
  const prompt = handedOver.get(id)
  handedOver.delete(id)
  return prompt
}
