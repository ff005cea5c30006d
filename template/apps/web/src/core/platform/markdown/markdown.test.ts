import { describe, expect, it } from 'vitest'
import { renderBlocks, type Block } from './markdown'

const html = (text: string) =>
  renderBlocks(text, new Map())
    .map((block) => (block.kind === 'code' ? block.text : block.html))
    .join('')

describe('renderBlocks', () => {
  it('renders headings, lists and emphasis', () => {
    expect(html('# Plan\n\n- **one**\n- two')).toContain('<li><strong>one</strong></li>')
  })

  it.each([
    '<script>alert(1)</script>',
    '<img src=x onerror=alert(1)>',
    '[click](javascript:alert(1))',
    '[click](data:text/html;base64,PHNjcmlwdD4=)',
    '<svg><a xlink:href="javascript:alert(1)">x</a></svg>',
  ])('renders nothing that can run from %s', (text) => {
    const page = document.createElement('div')
    page.innerHTML = html(text)
    expect(page.querySelector('script, img, svg')).toBeNull()
    for (const link of page.querySelectorAll('a')) {
      expect(link.getAttribute('href')).toMatch(/^https?:/)
    }
  })

  it.each(['https://tracker.example/p.png', '//tracker.example/p.png', '/\\tracker.example/p.png'])(
    'does not load the picture %s',
    (source) => {
      const page = document.createElement('div')
      page.innerHTML = html(`Before ![chart](${source}) after`)
      expect(page.querySelector('[src]')).toBeNull()
      expect(page.textContent).toContain('chart')
    },
  )

  it('shows a picture that is embedded in the text', () => {
    expect(html('![dot](data:image/png;base64,iVBORw0KGgo=)')).toContain('<img src="data:image/png')
  })

  it('opens links without a referrer', () => {
    expect(html('https://example.com')).toContain('rel="noopener noreferrer nofollow"')
  })

  it('keeps code as text with its language', () => {
    expect(renderBlocks('```sql\nselect 1 < 2\n```', new Map())).toEqual([
      { kind: 'code', text: 'select 1 < 2\n', language: 'sql' },
    ])
  })

  it('shows code that was cut off as code', () => {
    expect(renderBlocks('Run:\n\n```sh\nmake \\', new Map()).at(-1)).toEqual({
      kind: 'code',
      text: 'make \\',
      language: 'sh',
    })
  })

  it('renders again only what has changed', () => {
    const cache = new Map<string, Block>()
    const [first] = renderBlocks('First.\n\nSec', cache)
    const again = renderBlocks('First.\n\nSecond.', cache)
    expect(again[0]).toBe(first)
    expect(again[1]).toMatchObject({ html: '<p>Second.</p>\n' })
  })

  it('resolves a link whose address comes last', () => {
    const cache = new Map<string, Block>()
    renderBlocks('See [the plan][1].', cache)
    expect(
      renderBlocks('See [the plan][1].\n\n[1]: https://example.com/plan', cache)[0],
    ).toMatchObject({ html: expect.stringContaining('href="https://example.com/plan"') })
  })
})
