import { createApp } from 'vue'
import { addAPIProvider } from '@iconify/vue'
import ui from '@nuxt/ui/vue-plugin'
import App from './platform/App.vue'
import { createPlatformRouter } from './platform/router'

/** The web application with its router and components, ready to be extended and mounted. */
export function createPlatform() {
  // An icon that is not in the build is looked for here and nowhere else.
  addAPIProvider('', { resources: [location.origin], path: '/_icons/' })

  return createApp(App).use(createPlatformRouter()).use(ui)
}
