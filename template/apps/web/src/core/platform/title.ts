import { useTitle as useDocumentTitle } from '@vueuse/core'
import { computed, ref } from 'vue'
import type { Router } from 'vue-router'
import { customerName } from './customer'

/** The title of the page's content, such as a conversation's; empty to use the page's name. */
export const pageTitle = ref('')

/** Sets the browser's title from the current page. */
export function useTitle(router: Router) {
  router.afterEach(() => {
    pageTitle.value = ''
  })
  const name = computed(() => pageTitle.value || router.currentRoute.value.meta.title)
  useDocumentTitle(computed(() => (name.value ? `${name.value} · ${customerName}` : customerName)))
}
