import type { NuxtUIOptions } from '@nuxt/ui/vite'

/**
 * Your colours and component defaults; vite.config.ts hands them to Nuxt UI when it starts.
 * Finer shades, fonts and your own classes are in brand.css.
 */
const theme: NuxtUIOptions['ui'] = {
  colors: {
    // Any colour of Tailwind CSS, or one that brand.css defines.
    primary: 'teal',
    neutral: 'slate',
  },
}

export default theme
