import DOMPurify from 'dompurify'
import MarkdownIt, { type Env, type Token } from 'markdown-it'

/** A top-level piece of a Markdown text. `html` is safe to insert; `text` is not HTML. */
export type Block =
  { kind: 'html' | 'table'; html: string } | { kind: 'code'; text: string; language: string }

const markdown = new MarkdownIt({ html: false, linkify: true })

/**
 * The blocks of a Markdown text, ready to be shown.
 *
 * A streamed answer is rendered again with every token, so each block's result is kept in `cache`,
 * one for each text; only the last block is new.
 */
export function renderBlocks(text: string, cache: Map<string, Block>): Block[] {
  const env: Env = { references: {} }
  const lines = text.split('\n')
  return topLevel(markdown.parse(text, env)).map((tokens) => {
    const [start, end] = tokens[0]?.map ?? [0, lines.length]
    // A link's definition may follow later and changes the blocks before it.
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

// A picture from elsewhere tells its server who read the answer, and its address can carry what the
// conversation says. Only pictures that are inside the text itself are shown.
const EMBEDDED = /^data:image\/(png|jpeg|gif|webp);base64,/i

markdown.renderer.rules.image = (tokens, index) => {
  const token = tokens[index]!
  const source = String(token.attrGet('src') ?? '')
  const label = markdown.utils.escapeHtml(token.content)
  if (EMBEDDED.test(source)) return `<img src="${source}" alt="${label}">`
  const href = markdown.utils.escapeHtml(source)
  return `<a href="${href}" title="Pictures from other servers are not loaded">${label || 'Picture'}</a>`
}

// Columns are aligned with an attribute, because styles are not allowed.
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
  // A keyboard user can scroll it.
  if (element.nodeName === 'PRE') element.setAttribute('tabindex', '0')
  if (element.nodeName === 'IMG' && !EMBEDDED.test(element.getAttribute('src') ?? '')) {
    element.remove()
  }
})
