import type { RouteLocationNormalized, Router } from 'vue-router'
import { onSessionEnd } from '../platform/api'
import { useSession } from './useSession'

/** Shows every page that is not `public` to signed-in users only. */
export function guard(router: Router): void {
  router.beforeEach(requireSession)
  onSessionEnd(() => {
    const { meta, fullPath } = router.currentRoute.value
    if (!meta.public) void router.replace(signInPage(fullPath, true))
  })
}

/** Whether the user is signed in; otherwise the sign-in page, with the page to return to. */
export async function requireSession(to: Pick<RouteLocationNormalized, 'meta' | 'fullPath'>) {
  if (to.meta.public || (await useSession().load())) return true
  return signInPage(to.fullPath)
}

/** The address to go to after signing in: `next` if it is a page of this site, else the start page. */
export function nextPage(next: unknown): string {
  const known = typeof next === 'string' && URL.canParse(next, location.origin)
  const url = known ? new URL(next, location.origin) : null
  return url?.origin === location.origin ? url.pathname + url.search + url.hash : '/'
}

function signInPage(fullPath: string, expired = false) {
  return {
    name: 'sign-in',
    query: {
      next: fullPath === '/' ? undefined : fullPath,
      expired: expired ? null : undefined,
    },
  }
}
