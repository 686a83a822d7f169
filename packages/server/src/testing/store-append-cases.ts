import type { SendItem } from '@kithwire/protocol'
import type { Outcome } from '../store.js'
import { type Case, check, same } from './conformance.js'
import { cid, contents, put, range, readAll, type StoreBench, send, seqs, text, whole } from './store-bench.js'

const group = 'append'

/** Order, idempotency, prefix and conflict. */
export const appendCases: Case<StoreBench>[] = [
  {
    group,
    name: 'gives 1, 2, 3 … in the order of the items and of the sends',
    async run({ open }) {
      const store = await open()
      const sends = [
        send('c', 'ann', text(1), text(2), text(3)),
        send('d', 'ann', text(4)),
        send('c', 'ben', text(5)),
        send('c', 'ann', text(6)),
      ]
      const outcomes = await store.append(sends)
      same(outcomes.length, 4, 'one outcome per send')
      const stored = outcomes.map((outcome, index) => whole(outcome, sends[index]!.items.length))
      same(stored.map(seqs), [[1, 2, 3], [1], [4], [5]], 'seqs')
      same(
        contents(await readAll(store, 'c')),
        [1, 2, 3, 5, 6].map((n) => `message ${n}`),
        'the log',
      )
      const all = stored.flat()
      check(
        all.every(({ duplicate }) => duplicate === false),
        'nothing is a duplicate',
      )
      same(new Set(all.map(({ id }) => id)).size, all.length, 'ids differ')
      same(seqs(await put(store, 'c', 'ann', text(7))), [6], 'the next call goes on')
      same(await store.append([]), [], 'a call without sends')
    },
  },
  {
    group,
    name: 'reports what is in the log',
    async run({ open }) {
      const store = await open()
      const stored = await put(store, 'c', 'ann', ...range(1, 20).map((n) => text(n)))
      const entries = await readAll(store, 'c')
      const reported = stored.map(({ seq, id, at }) => ({ seq, id, at }))
      same(
        entries.map(({ seq, id, createdAt }) => ({ seq, id, at: createdAt })),
        reported,
        'seq, id and time',
      )
      check(
        stored.every(({ at }) => Number.isSafeInteger(at) && at > 0),
        'times are whole milliseconds',
      )
    },
  },
  {
    group,
    name: 'answers a retry with what the original became',
    async run({ open }) {
      const store = await open()
      const original = await put(store, 'c', 'ann', text(1), text(2))
      await put(store, 'c', 'ben', text(3))
      const again = await put(store, 'c', 'ann', text(1), text(2), text(4))
      same(
        again.slice(0, 2),
        original.map((one) => ({ ...one, duplicate: true })),
        'the retry',
      )
      same(again[2]!.seq, 4, 'what is new beside it is stored')
      const [one, two] = await store.append([send('c', 'ann', text(5), text(5)), send('c', 'ann', text(5))])
      const [first, second] = whole(one, 2)
      same([first!.duplicate, second!.duplicate, whole(two, 1)[0]!.duplicate], [false, true, true], 'in one call')
      same([second!.seq, two!.stored[0]!.seq, second!.id], [first!.seq, first!.seq, first!.id], 'the same entry')
      same((await readAll(store, 'c')).length, 5, 'entries in the log')
    },
  },
  {
    group,
    name: 'knows a retry after thousands of later entries',
    async run({ open }) {
      const store = await open()
      const [original] = await put(store, 'c', 'ann', text(0))
      for (const start of range(0, 31)) {
        const items = range(1, 100).map((n) => text(start * 100 + n))
        whole((await store.append([send('c', 'ann', ...items)]))[0], 100)
      }
      same(await put(store, 'c', 'ann', text(0)), [{ ...original, duplicate: true }], 'the retry')
      const [head] = await store.heads(['c'])
      same(head!.head, 3_201, 'the head')
    },
  },
  {
    group,
    name: 'makes one entry of 1,000 equal sends at once',
    async run({ open }) {
      const store = await open()
      const outcomes = await Promise.all(range(1, 1_000).map(() => store.append([send('c', 'ann', text(1))])))
      const stored = outcomes.flatMap((outcome) => whole(outcome[0], 1))
      same([...new Set(stored.map(({ seq, id }) => `${seq} ${id}`))], [`1 ${stored[0]!.id}`], 'one seq and one id')
      same(stored.filter(({ duplicate }) => !duplicate).length, 1, 'one of them is the original')
      same((await readAll(store, 'c')).length, 1, 'entries in the log')
    },
  },
  {
    group,
    name: 'leaves no gap with many writers at once',
    async run({ open }) {
      const store = await open()
      const calls = range(0, 299).map(async (n) => {
        const conversation = `c${n % 3}`
        const items = [text(3 * n), text(3 * n + 1), text(3 * n + 2)]
        const stored = whole((await store.append([send(conversation, `user${n % 5}`, ...items)]))[0], 3)
        return { conversation, stored, items }
      })
      const done = await Promise.all(calls)
      for (const conversation of ['c0', 'c1', 'c2']) {
        const log = await readAll(store, conversation)
        same(log.length, 300, `entries of ${conversation}`)
        for (const { stored, items } of done.filter((one) => one.conversation === conversation))
          for (const [index, { seq, id }] of stored.entries()) {
            same([log[seq - 1]!.id, log[seq - 1]!.cid], [id, items[index]!.cid], 'what was reported is there')
            check(index === 0 || seq > stored[index - 1]!.seq, 'the items of a send keep their order')
          }
      }
    },
  },
  {
    group,
    name: 'keeps cids of other conversations and other senders apart',
    async run({ open }) {
      const store = await open()
      const scopes = [
        ['c', 'ann'],
        ['c', 'ben'],
        ['d', 'ann'],
        ['c:a', 'nn'],
        ['c', 'a:nn'],
        ['C', 'ann'],
        ['c', 'Ann'],
      ]
      for (const [conversation, from] of scopes) {
        const [stored] = await put(store, conversation!, from!, text(1, `${from} in ${conversation}`))
        same(stored!.duplicate, false, `${from} in ${conversation}`)
      }
      same(contents(await readAll(store, 'c')), ['ann in c', 'ben in c', 'a:nn in c', 'Ann in c'], 'the log of c')
    },
  },
  {
    group,
    name: 'refuses other content under a used cid, and what stands behind it',
    async run({ open }) {
      const store = await open()
      const original: SendItem = { cid: cid(1), type: 'text', content: 'a', ref: ['ben', 'r'], meta: { k: 1 } }
      await put(store, 'c', 'ann', original)
      const others: Partial<SendItem>[] = [
        { content: 'b' },
        { content: 'a ' },
        { content: 'A' },
        { type: 'emoji' },
        { ref: ['ben', 's'] },
        { ref: ['ann', 'r'] },
        { meta: { k: '1' } },
        { meta: { k: 1, l: 2 } },
      ]
      for (const [index, other] of others.entries()) {
        const items = [text(10 + index), { ...original, ...other }, text(100 + index)]
        const [outcome] = await store.append([send('c', 'ann', ...items)])
        same(outcome!.refused, { index: 1, code: 'cid_conflict' }, `refused for ${JSON.stringify(other)}`)
        same(seqs(outcome!.stored), [2 + index], 'the item before it is stored, and no seq is used up')
      }
      const log = await readAll(store, 'c')
      same(
        log.map((entry) => entry.cid),
        [1, ...range(10, 9 + others.length)].map(cid),
        'the log',
      )
      const [found] = await store.find('c', 'ann', [cid(100)])
      same(found, undefined, 'what stood behind it')
    },
  },
  {
    group,
    name: 'refuses a conflict within one send, and goes on with the other sends of the call',
    async run({ open }) {
      const store = await open()
      const outcomes = await store.append([
        send('c', 'ann', text(1), text(1, 'other'), text(2)),
        send('c', 'ann', text(3)),
        send('d', 'ben', text(1)),
      ])
      const expected: Pick<Outcome, 'refused'>[] = [{ refused: { index: 1, code: 'cid_conflict' } }, {}, {}]
      same(
        outcomes.map(({ refused }) => ({ refused })),
        expected,
        'refusals',
      )
      same(
        outcomes.map(({ stored }) => seqs(stored)),
        [[1], [2], [1]],
        'seqs',
      )
    },
  },
  {
    group,
    name: 'takes meta with its keys in another order for the same content',
    async run({ open }) {
      const store = await open()
      await put(store, 'c', 'ann', { ...text(1), meta: { a: 1, b: { x: [1, 2], y: null } } })
      const [again] = await put(store, 'c', 'ann', { ...text(1), meta: { b: { y: null, x: [1, 2] }, a: 1 } })
      same(again!.duplicate, true, 'duplicate')
      const [outcome] = await store.append([
        send('c', 'ann', { ...text(1), meta: { a: 1, b: { x: [2, 1], y: null } } }),
      ])
      same(outcome!.refused?.code, 'cid_conflict', 'an array in another order')
    },
  },
]
