import type { RouteRecordRaw } from 'vue-router'

export const routes: RouteRecordRaw[] = [
  {
    path: 'account/password',
    name: 'password',
    component: () => import('./ChangePasswordPage.vue'),
    meta: { title: 'Change your password' },
  },
]
