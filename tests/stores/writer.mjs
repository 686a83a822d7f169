/**
 * A process of its own that writes to a file: `node writer.mjs <file> <thread> <task as JSON>`. It says `ready`, waits
 * for a line on its input, and prints what was acknowledged, a line of JSON per send, as soon as it is.
 */
import { sqlite } from '@kithwire/server/sqlite'

const [file, thread, json] = process.argv.slice(2)
const { name, sends, conversations, cid, batch = 1 } = JSON.parse(json)
// Long enough for a machine on which everything else runs as well: here a wait for the lock is no failure.
const store = sqlite(file, { thread: thread === 'true', busyTimeoutMs: 60_000 })

const item = (n) => ({
  cid: cid ?? `${name}-${n}`,
  type: 'text',
  content: cid ?? `${name} ${n} ${'x'.repeat(n % 200)}`,
})
const from = cid ? 'ann' : name

await store.ready()
process.stdout.write('ready\n')
await new Promise((resolve) => process.stdin.once('data', resolve))
process.stdin.destroy()

for (let n = 0; n < sends; n += batch) {
  const batched = Array.from({ length: batch }, (_, index) => ({
    conversation: `c${(n + index) % conversations}`,
    from,
    items: [item(n + index)],
  }))
  const outcomes = await store.append(batched)
  for (const [index, { stored, refused }] of outcomes.entries()) {
    const { conversation, items } = batched[index]
    process.stdout.write(`${JSON.stringify({ conversation, from, cid: items[0].cid, refused, ...stored[0] })}\n`)
  }
}
await store.close()
