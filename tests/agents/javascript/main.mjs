// Runs LangGraph's own client against the service: node main.mjs ADDRESS TOKEN
import { Client } from '@langchain/langgraph-sdk'
const client = new Client({ apiUrl: process.argv[2], apiKey: process.argv[3] })
const thread = await client.threads.create()
const events = []
for await (const part of client.runs.stream(thread.thread_id, 'talker', {
  input: { messages: [{ role: 'user', content: 'hello' }] },
  streamMode: ['values', 'messages-tuple', 'messages'],
})) events.push(part.event)
const counter = await client.threads.create()
const run = await client.runs.create(counter.thread_id, 'counter', {
  input: { to: 5, pause: 0 }, streamMode: ['updates', 'values'],
})
const joined = []
for await (const part of client.runs.joinStream(counter.thread_id, run.run_id, {
  streamMode: ['updates', 'custom'],
})) joined.push(part.event)
const asked = await client.runs.wait(null, 'approval', { input: { prompt: 'ship' } })
const state = await client.threads.getState(thread.thread_id)
const history = await client.threads.getHistory(thread.thread_id)
const configurable = { checkpoint_id: history[0].checkpoint.checkpoint_id }
const earlier = await client.threads.getHistory(thread.thread_id, { before: { configurable } })
const assistants = await client.assistants.search({ limit: 100 })
console.log(JSON.stringify({
  events, joined, asked, messages: state.values.messages.length, assistants: assistants.length,
  all: history.length, earlier: earlier.length,
}))
