import { useEventListener, useThrottleFn } from '@vueuse/core'

/** Calls `callback` when the user returns to this tab: others may have changed what it shows. */
export function onReturn(callback: () => unknown): void {
  const call = useThrottleFn(() => document.hidden || callback(), 1000, true)
  useEventListener(window, ['focus', 'visibilitychange'], call)
}
