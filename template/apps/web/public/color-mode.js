// Runs before the first paint, so that dark mode never flashes white.
const theme = localStorage.getItem('vueuse-color-scheme') ?? 'auto'
const dark = matchMedia('(prefers-color-scheme: dark)').matches
document.documentElement.classList.add(
  theme === 'dark' || (theme === 'auto' && dark) ? 'dark' : 'light',
)
