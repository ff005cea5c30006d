import type { InjectionKey } from 'vue'

/** Opens the side bar where the screen is too narrow to show it always. */
export const OPEN_MENU: InjectionKey<() => void> = Symbol('open menu')
