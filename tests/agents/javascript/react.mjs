// Runs LangGraph's useStream of React, as agent-chat-ui does: node react.mjs ADDRESS TOKEN
import { JSDOM } from 'jsdom'

const [apiUrl, apiKey] = process.argv.slice(2)
const { window } = new JSDOM('<div id="root"></div>', { url: 'http://localhost/' })
const { document, sessionStorage } = window
Object.assign(globalThis, { window, document })
// React looks for the browser when it is loaded.
const { createElement } = await import('react')
const { createRoot } = await import('react-dom/client')
const { useStream } = await import('@langchain/langgraph-sdk/react')

// Mounts a component with the hook; `stream` is its latest value.
function mount(assistantId, options = {}) {
  const seen = { custom: [], updates: [], finished: 0, errors: [], texts: new Set() }
  const root = createRoot(document.getElementById('root'))
  function Chat() {
    seen.stream = useStream({
      apiUrl,
      apiKey,
      assistantId,
      fetchStateHistory: true,
      reconnectOnMount: () => sessionStorage,
      onThreadId: (id) => { seen.threadId = id },
      onCustomEvent: (event) => seen.custom.push(event),
      onUpdateEvent: (event) => seen.updates.push(...Object.keys(event)),
      onFinish: () => { seen.finished += 1 },
      onError: (error) => seen.errors.push(String(error)),
      ...options,
    })
    for (const message of seen.stream.messages) seen.texts.add(message.content)
    return null
  }
  root.render(createElement(Chat))
  seen.unmount = () => root.unmount()
  return seen
}

async function until(what, condition) {
  const end = Date.now() + 30_000
  while (!condition()) {
    if (Date.now() > end) throw new Error(`never: ${what}`)
    await new Promise((resolve) => setTimeout(resolve, 10))
  }
}

const submitOptions = {
  streamMode: ['messages-tuple', 'values', 'updates', 'custom'],
  streamSubgraphs: true,
  streamResumable: true,
  onDisconnect: 'continue',
}
const said = (content) => ({ messages: [{ type: 'human', content }] })
const idle = (chat) => () => chat.finished && !chat.stream.isLoading && !chat.stream.isThreadLoading
const result = {}

async function check(name, work) {
  try {
    result[name] = await work()
  } catch (error) {
    result[name] = String(error)
  }
}

await check('tokens', async () => {
  const chat = mount('talker')
  await until('mounted', () => chat.stream)
  chat.stream.submit(said('hello'), submitOptions)
  await until('reply', idle(chat))
  chat.unmount()
  return { texts: chat.texts.size, errors: chat.errors, messages: chat.stream.messages.length }
})

await check('branches', async () => {
  const chat = mount('echo')
  await until('mounted', () => chat.stream)
  chat.stream.submit(said('first'), submitOptions)
  await until('reply', idle(chat))
  const { parent_checkpoint: checkpoint } = chat.stream.getMessagesMetadata(chat.stream.messages[0]).firstSeenState
  chat.finished = 0
  chat.stream.submit(said('second'), { ...submitOptions, checkpoint })
  await until('edited', idle(chat))
  const text = () => chat.stream.messages.map((message) => message.content)
  const edited = text()
  const { branchOptions } = chat.stream.getMessagesMetadata(chat.stream.messages[0])
  chat.stream.setBranch(branchOptions[0])
  await until('switched', () => text()[0] === 'first')
  chat.unmount()
  return { edited, branches: branchOptions.length, switched: text() }
})

await check('interrupt', async () => {
  const chat = mount('nested')
  await until('mounted', () => chat.stream)
  chat.stream.submit({ text: 'ship' }, submitOptions)
  await until('question', () => chat.stream.interrupt && idle(chat)())
  const asked = chat.stream.interrupt.value
  chat.finished = 0
  chat.stream.submit(undefined, { ...submitOptions, command: { resume: 'yes' } })
  await until('answer', idle(chat))
  chat.unmount()
  return { asked, text: chat.stream.values.text, custom: chat.custom, updates: chat.updates, interrupt: chat.stream.interrupt ?? null }
})

await check('reconnected', async () => {
  const first = mount('counter')
  await until('mounted', () => first.stream)
  first.stream.submit({ to: 40, pause: 0.05 }, submitOptions)
  await until('begun', () => first.stream.values.counted?.length > 2)
  first.unmount()
  const second = mount('counter', { threadId: first.threadId })
  await until('joined', () => second.stream?.isLoading && second.stream.values.counted?.length > 3)
  await until('end', idle(second))
  second.unmount()
  return { counted: second.stream.values.counted.length, errors: second.errors }
})

await check('stopped', async () => {
  const chat = mount('counter')
  await until('mounted', () => chat.stream)
  chat.stream.submit({ to: 1000, pause: 0.05 }, submitOptions)
  await until('begun', () => chat.stream.values.counted?.length > 2)
  await chat.stream.stop()
  await until('idle', () => !chat.stream.isLoading)
  const [run] = await chat.stream.client.runs.list(chat.threadId)
  await chat.stream.client.runs.join(chat.threadId, run.run_id)
  const { status } = await chat.stream.client.runs.get(chat.threadId, run.run_id)
  chat.unmount()
  return status
})

await check('failed', async () => {
  const chat = mount('failing')
  await until('mounted', () => chat.stream)
  chat.stream.submit(said('hello'), submitOptions)
  await until('error', () => chat.errors.length && !chat.stream.isLoading)
  chat.unmount()
  return String(chat.stream.error)
})

console.log(JSON.stringify(result))
process.exit(0)
