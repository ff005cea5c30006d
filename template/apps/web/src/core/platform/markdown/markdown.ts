import DOMPurify from 'dompurify'
import MarkdownIt, { type Env, type Token } from 'markdown-it'

/** A top-level block of a Markdown text. `html` is sanitised; `text` is plain text. */
export type Block =
  { kind: 'html' | 'table'; html: string } | { kind: 'code'; text: string; language: string }

const markdown = new MarkdownIt({ html: false, linkify: true })

/**
 * Renders a Markdown text, block by block.
 *
 * A streamed reply is rendered again with every token. `cache`, one for each reply, holds the
 * finished blocks, so that only the last one is rendered.
 */
export function renderBlocks(text: string, cache: Map<string, Block>): Block[] {
  const env: Env = { references: {} }
  const lines = text.split('\n')
  return topLevel(markdown.parse(text, env)).map((tokens) => {
    const [start, end] = tokens[0]?.map ?? [0, lines.length]
    // A link's definition can follow later, and changes the blocks before it.
    const key = `${Object.keys(env.references ?? {}).length}:${lines.slice(start, end).join('\n')}`
    const block = cache.get(key) ?? render(tokens, env)
    cache.set(key, block)
    return block
  })
}

function topLevel(tokens: Token[]): Token[][] {
  const blocks: Token[][] = []
  let current: Token[] = []
  for (const token of tokens) {
    current.push(token)
    if (token.level === 0 && token.nesting !== 1) {
      blocks.push(current)
      current = []
    }
  }
  return blocks
}

function render(tokens: Token[], env: Env): Block {
  const first = tokens[0]
  if (first?.type === 'fence' || first?.type === 'code_block') {
    return { kind: 'code', text: first.content, language: first.info.trim().split(/\s/)[0] ?? '' }
  }
  const html = purifier.sanitize(markdown.renderer.render(tokens, markdown.options, env), ALLOWED)
  return { kind: first?.type === 'table_open' ? 'table' : 'html', html }
}

const ALLOWED = {
  ALLOWED_TAGS: (
    'p br hr h1 h2 h3 h4 h5 h6 strong em s a img code pre blockquote ul ol li ' +
    'table thead tbody tr th td'
  ).split(' '),
  ALLOWED_ATTR: ['href', 'title', 'src', 'alt', 'start', 'align', 'target', 'rel', 'tabindex'],
  ALLOW_DATA_ATTR: false,
}

// A picture from another server would leak the reader's address, and in its URL even the
// conversation. Only pictures that are embedded in the text are shown.
const EMBEDDED = /^data:image\/(png|jpeg|gif|webp);base64,/i

markdown.renderer.rules.image = (tokens, index) => {
  const token = tokens[index]!
  const source = String(token.attrGet('src') ?? '')
  const label = markdown.utils.escapeHtml(token.content)
  if (EMBEDDED.test(source)) return `<img src="${source}" alt="${label}">`
  const href = markdown.utils.escapeHtml(source)
  return `<a href="${href}" title="Pictures from other servers are not loaded">${label || 'Picture'}</a>`
}

// Table columns are aligned by attribute, as the sanitiser removes styles.
for (const rule of ['th_open', 'td_open']) {
  markdown.renderer.rules[rule] = (tokens, index, options, _env, self) => {
    const token = tokens[index]!
    const align = /text-align:(\w+)/.exec(String(token.attrGet('style') ?? ''))?.[1]
    token.attrs = align ? [['align', align]] : null
    return self.renderToken(tokens, index, options)
  }
}

const purifier = DOMPurify()

purifier.addHook('afterSanitizeAttributes', (element) => {
  if (element.nodeName === 'A') {
    element.setAttribute('target', '_blank')
    element.setAttribute('rel', 'noopener noreferrer nofollow')
  }
  // Focusable, so that the keyboard can scroll it.
  if (element.nodeName === 'PRE') element.setAttribute('tabindex', '0')
  if (element.nodeName === 'IMG' && !EMBEDDED.test(element.getAttribute('src') ?? '')) {
    element.remove()
  }
})
