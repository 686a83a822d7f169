/**
 * A process of its own that uses a file store until it is killed: `node writer.mjs <folder> <name>`. It prints a line for
 * each thing that the store said was done.
 */
import { writeSync } from 'node:fs'
import { fileStore } from '@kithwire/client/file'

const [folder, name] = process.argv.slice(2)
const store = fileStore(folder)()
const limits = { items: 1e9, bytes: 1e12, oldest: 0 }
const say = (line) => writeSync(1, `${line}\n`)

await store.attempt('d'.repeat(22))
await store.claim('ann')
await store.meet([['c', 0, 1, 0, 0, 0, [], '']], { epoch: 'epoch', after: new Map() })
const state = await store.conversation('c')
for (let n = 1; ; n++) {
  const content = `${name} ${n} ${'x'.repeat((n % 50) * 100)}`
  const cids = [0, 1, 2].map((index) => `${name}-${n}-${index}`)
  // Three that are written together, of which the first is acknowledged with the next record.
  await Promise.all(
    cids.map(async (cid) => {
      await store.enqueue({ conversation: 'c', cid, type: 'text', content, queuedAt: n }, limits)
      say(`queued ${cid}`)
    }),
  )
  const seq = state.applied + n
  const id = `entry-${String(seq).padStart(10, '0')}`
  const entry = { id, conversation: 'c', seq, from: 'ann', type: 'text', content, createdAt: 1, cid: cids[0] }
  const { added } = await store.apply('c', [entry])
  if (added !== 1) throw new Error(`Expected ${seq} to follow, came ${JSON.stringify(await store.conversation('c'))}`)
  say(`applied ${seq} ${cids[0]}`)
}
