import type { RouteRecordRaw } from 'vue-router'

export const routes: RouteRecordRaw[] = [
  { path: '', name: 'new', component: () => import('./NewConversationPage.vue') },
  {
    path: 'conversations/:id([0-9a-f-]{36})',
    name: 'conversation',
    component: () => import('./ConversationPage.vue'),
    props: true,
  },
]
