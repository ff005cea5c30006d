import type { InjectionKey } from 'vue'

/** Opens the side bar on a screen that is too narrow to show it all the time. */
export const OPEN_MENU: InjectionKey<() => void> = Symbol('open menu')
