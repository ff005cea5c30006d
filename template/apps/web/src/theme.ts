import type { NuxtUIOptions } from '@nuxt/ui/vite'

/**
 * Your colours and component defaults for Nuxt UI, read by vite.config.ts.
 * Finer shades, fonts and more classes are in brand.css.
 */
const theme: NuxtUIOptions['ui'] = {
  colors: {
    // Any colour of Tailwind CSS, or one that brand.css defines.
    primary: 'teal',
    neutral: 'slate',
  },
}

export default theme
