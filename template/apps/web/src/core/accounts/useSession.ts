import { computed, ref } from 'vue'
import { getAccount, login, logout, type Account } from '../client'
import { ApiError, onSessionEnd } from '../platform/api'

const account = ref<Account | null>(null)

onSessionEnd(() => {
  account.value = null
})

/** The signed-in account, and functions to sign in and out. */
export function useSession() {
  return {
    account,
    isAdmin: computed(() => account.value?.roles.includes('admin') ?? false),
    load,
    signIn,
    signOut,
  }
}

/** The signed-in account, asked from the API if it is not known yet; null for a visitor. */
async function load(): Promise<Account | null> {
  if (account.value) return account.value
  try {
    account.value = (await getAccount()).data
  } catch (error) {
    if (!(error instanceof ApiError && error.status === 401)) throw error
  }
  return account.value
}

async function signIn(email: string, password: string): Promise<void> {
  account.value = (await login({ body: { email, password } })).data
}

/** Loads the sign-in page from scratch: the tab keeps nothing of this user for the next one. */
async function signOut(): Promise<void> {
  await logout()
  sessionStorage.clear()
  // The back button would show the page as this user left it.
  addEventListener('pageshow', () => location.reload())
  location.assign('/sign-in')
}
