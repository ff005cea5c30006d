import { createRouter, createWebHistory } from 'vue-router'
import { handleHotUpdate, routes as customerRoutes } from 'vue-router/auto-routes'
import { guard } from '../accounts/guard'
import * as features from '../features'

declare module 'vue-router' {
  interface RouteMeta {
    /** The page's name, in the browser's title. */
    title?: string
    /** The page's entry in the side bar, with the name of a Lucide icon; sorted by `order`. */
    nav?: { label: string; icon: string; order?: number }
    /** The page is also shown to visitors who are not signed in. */
    public?: boolean
  }
}

/** The pages of the features and those in `src/pages/`, in the shell; the sign-in page outside it. */
export function createPlatformRouter() {
  const router = createRouter({
    history: createWebHistory(),
    routes: [
      {
        path: '/sign-in',
        name: 'sign-in',
        component: () => import('../accounts/SignInPage.vue'),
        meta: { public: true, title: 'Sign in' },
      },
      {
        path: '/',
        component: () => import('./AppShell.vue'),
        children: [
          ...Object.values(features).flat(),
          ...customerRoutes,
          {
            path: ':path(.*)*',
            component: () => import('./NotFoundPage.vue'),
            meta: { title: 'Page not found' },
          },
        ],
      },
    ],
  })

  guard(router)
  if (import.meta.hot) handleHotUpdate(router)
  return router
}
