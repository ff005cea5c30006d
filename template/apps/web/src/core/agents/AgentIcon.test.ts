import { icons } from '@iconify-json/lucide'
import { createApp, h, nextTick, reactive } from 'vue'
import { beforeAll, expect, it, vi } from 'vitest'
import { setUpIcons } from '../platform/icons'
import AgentIcon from './AgentIcon.vue'

const fetched = vi.fn()
beforeAll(() => {
  vi.stubGlobal('fetch', fetched)
  setUpIcons()
})

function show(icon: string | null) {
  const props = reactive({ icon })
  const box = document.createElement('div')
  createApp({ render: () => h(AgentIcon, props) }).mount(box)
  return { box, props }
}

/** Returns when the icon is drawn. */
const drawn = (box: Element, name: string) => {
  const [line] = icons.icons[name]!.body.match(/ d="[^"]+"/)!
  return vi.waitFor(() => expect(box.innerHTML).toContain(line))
}

it('shows an icon that the build does not know', async () => {
  const { box } = show('sailboat')
  await drawn(box, 'sailboat')
})

it.each([null, '', 'no-such-icon', 'Not a name', '../x'])(
  'shows a general icon instead of %j',
  async (icon) => {
    const { box, props } = show(icon)
    props.icon = 'anchor'
    await drawn(box, 'anchor')
    props.icon = icon
    await drawn(box, 'bot')
    await nextTick()
    expect(fetched).not.toHaveBeenCalled()
  },
)
