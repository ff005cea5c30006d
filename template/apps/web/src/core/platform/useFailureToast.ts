import { useToast } from '@nuxt/ui/composables/useToast'

/** A function that runs an action and shows its failure as a toast; it returns whether it worked. */
export function useFailureToast() {
  const toast = useToast()
  return async (title: string, action: () => Promise<unknown>): Promise<boolean> => {
    try {
      await action()
      return true
    } catch (error) {
      toast.add({
        title,
        description: (error as Error).message,
        color: 'error',
        icon: 'i-lucide-circle-alert',
      })
      return false
    }
  }
}
