import { computed, ref } from 'vue'
import { ApiError, onSessionEnd } from '../platform/api'
import { login, logout, me, type Account } from '../client'

const account = ref<Account | null>(null)

onSessionEnd(() => {
  account.value = null
})

/** Who is signed in, and how to change that. */
export function useSession() {
  return {
    account,
    isAdmin: computed(() => account.value?.roles.includes('admin') ?? false),
    load,
    signIn,
    signOut,
  }
}

/** Asks the API who is signed in, once; null if nobody is. */
async function load(): Promise<Account | null> {
  if (account.value) return account.value
  try {
    account.value = (await me()).data
  } catch (error) {
    if (!(error instanceof ApiError && error.status === 401)) throw error
  }
  return account.value
}

async function signIn(email: string, password: string): Promise<void> {
  account.value = (await login({ body: { email, password } })).data
}

/** Opens the sign-in page anew, so that nothing of this user is left in the tab for the next one. */
async function signOut(): Promise<void> {
  await logout()
  sessionStorage.clear()
  // Going back, browsers show a page as it was left, with all that this user has seen.
  addEventListener('pageshow', () => location.reload())
  location.assign('/sign-in')
}
