import { addAPIProvider, iconLoaded, loadIcon, setCustomIconsLoader } from '@iconify/vue'

/** Icons that are not in the build come from this server, never from a public one. */
export function setUpIcons(): void {
  // All of Lucide, in a file that is loaded once an icon is missing: an agent may be newer than the
  // build.
  setCustomIconsLoader(async () => (await import('@iconify-json/lucide')).icons, 'lucide')
  addAPIProvider('', { resources: [location.origin], path: '/_icons/' })
}

/** Whether there is an icon with this name, such as `lucide:bot`; loads it if needed. */
export async function hasIcon(name: string): Promise<boolean> {
  return iconLoaded(name) || loadIcon(name).then(Boolean, () => false)
}
