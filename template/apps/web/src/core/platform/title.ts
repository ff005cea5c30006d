import { useTitle as useDocumentTitle } from '@vueuse/core'
import { computed, ref } from 'vue'
import type { Router } from 'vue-router'
import { customerName } from './customer'

/** What the page itself shows, such as a conversation's title; empty: the page's own name. */
export const pageTitle = ref('')

/** Keeps the browser's title in step with the page. */
export function useTitle(router: Router) {
  router.afterEach(() => {
    pageTitle.value = ''
  })
  const name = computed(() => pageTitle.value || router.currentRoute.value.meta.title)
  useDocumentTitle(computed(() => (name.value ? `${name.value} · ${customerName}` : customerName)))
}
