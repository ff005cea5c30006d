import { createRouter, createWebHistory, type RouteLocationNormalized } from 'vue-router'
import { handleHotUpdate, routes as customerRoutes } from 'vue-router/auto-routes'
import { onSessionEnd } from './api'
import { useSession } from './session'

declare module 'vue-router' {
  interface RouteMeta {
    /** The page's name, in the browser's title. */
    title?: string
    /** Puts the page into the side bar, with the name of a Lucide icon; low `order` first. */
    nav?: { label: string; icon: string; order?: number }
    /** The page is shown without signing in. */
    public?: boolean
  }
}

/** The framework's pages and the customer's own (`src/pages/`), all behind the sign-in. */
export function createPlatformRouter() {
  const router = createRouter({
    history: createWebHistory(),
    routes: [
      {
        path: '/sign-in',
        name: 'sign-in',
        component: () => import('./pages/SignIn.vue'),
        meta: { public: true, title: 'Sign in' },
      },
      {
        path: '/',
        component: () => import('./shell/AppShell.vue'),
        children: [
          { path: '', name: 'new', component: () => import('./pages/NewConversation.vue') },
          {
            path: 'conversations/:id([0-9a-f-]{36})',
            name: 'conversation',
            component: () => import('./pages/ConversationPage.vue'),
            props: true,
          },
          {
            path: 'account/password',
            name: 'password',
            component: () => import('./pages/ChangePassword.vue'),
            meta: { title: 'Change your password' },
          },
          ...customerRoutes,
          {
            path: ':path(.*)*',
            component: () => import('./pages/NotFound.vue'),
            meta: { title: 'Page not found' },
          },
        ],
      },
    ],
  })

  router.beforeEach(requireSession)
  onSessionEnd(() => {
    const { meta, fullPath } = router.currentRoute.value
    if (!meta.public) void router.replace(signInPage(fullPath, true))
  })
  if (import.meta.hot) handleHotUpdate(router)
  return router
}

/** Lets a visitor pass, or sends them to sign in and then back to where they wanted to be. */
export async function requireSession(to: Pick<RouteLocationNormalized, 'meta' | 'fullPath'>) {
  if (to.meta.public || (await useSession().load())) return true
  return signInPage(to.fullPath)
}

/** The address to go to after signing in; anything that is not a page of this site is refused. */
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
