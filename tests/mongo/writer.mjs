/**
 * A process of its own that writes to one database: `node writer.mjs <uri> <name> <sends> <conversations>`. It says
 * `ready`, waits for a line on its input, and prints what was acknowledged, a line of JSON per send. Before its own
 * sends it makes ten that are the same in every process.
 */
import { mongo } from '@kithwire/server/mongo'
import mongoose from 'mongoose'

const [uri, name, sends, conversations] = process.argv.slice(2)
const connection = mongoose.createConnection(uri)
const store = mongo({ connection })

await store.ready()
process.stdout.write('ready\n')
await new Promise((resolve) => process.stdin.once('data', resolve))
process.stdin.destroy()

const write = async (conversation, from, cid) => {
  // As a client does: the same again until the store has said what became of it.
  for (;;) {
    const items = [{ cid, type: 'text', content: `content of ${cid}` }]
    const [{ stored, refused }] = await store.append([{ conversation, from, items }])
    if (refused?.code === 'busy') continue
    return process.stdout.write(`${JSON.stringify({ conversation, cid, refused, ...stored[0] })}\n`)
  }
}

const tasks = Array.from({ length: 10 }, () => ['same', 'ann', 'same'])
for (let n = 0; n < Number(sends); n++) tasks.push([`c${n % Number(conversations)}`, name, `${name}-${n}`])
// Four at a time, so that what a process has under way is also its own rival.
await Promise.all(
  [0, 1, 2, 3].map(async () => {
    for (let task = tasks.shift(); task; task = tasks.shift()) await write(...task)
  }),
)
await store.close()
await connection.close()
