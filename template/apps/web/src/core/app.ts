import { createApp } from 'vue'
import ui from '@nuxt/ui/vue-plugin'
import App from './platform/App.vue'
import { setUpIcons } from './platform/icons'
import { createPlatformRouter } from './platform/router'

/** The web application with its router and components, not mounted yet: plugins can be added. */
export function createPlatform() {
  setUpIcons()

  return createApp(App).use(createPlatformRouter()).use(ui)
}
