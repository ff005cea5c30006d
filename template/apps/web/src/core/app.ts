import { createApp } from 'vue'
import { addAPIProvider } from '@iconify/vue'
import ui from '@nuxt/ui/vue-plugin'
import App from './platform/App.vue'
import { createPlatformRouter } from './platform/router'

/** The web application with its router and components, not mounted yet: plugins can be added. */
export function createPlatform() {
  // Icons that are not in the build are requested from this server, never from a public one.
  addAPIProvider('', { resources: [location.origin], path: '/_icons/' })

  return createApp(App).use(createPlatformRouter()).use(ui)
}
