import type { Mark } from '../store.js'
import { type Case, check, rejects, same } from './conformance.js'
import { cid, contents, put, range, type StoreBench, send, seqs, text, whole } from './store-bench.js'

const mark = (conversation: string, user: string, delivered: number, read: number): Mark => ({
  conversation,
  user,
  delivered,
  read,
})

const sorted = (marks: readonly Mark[]): string[] =>
  marks.map(({ conversation, user, delivered, read }) => `${conversation} ${user} ${delivered} ${read}`).sort()

/** Marks, retention, epoch and closing. */
export const stateCases: Case<StoreBench>[] = [
  {
    group: 'marks',
    name: 'merges marks by max and answers in the same order',
    async run({ open }) {
      const store = await open()
      await put(store, 'c', 'ann', ...range(1, 9).map((n) => text(n)))
      const news = [mark('c', 'ann', 5, 3), mark('d', 'ben', 1, 1), mark('c', 'ben', 2, 0)]
      same(await store.mark(news), news, 'new marks')
      same(
        await store.mark([mark('c', 'ben', 1, 1), mark('c', 'ann', 4, 1)]),
        [mark('c', 'ben', 2, 1), mark('c', 'ann', 5, 3)],
        'merged',
      )
      const both = await store.mark([mark('c', 'ann', 9, 9), mark('c', 'ann', 6, 6)])
      same(both[1], mark('c', 'ann', 9, 9), 'twice in one call')
      same(sorted(await store.marks(['c', 'unknown', 'd'])), ['c ann 9 9', 'c ben 2 1', 'd ben 1 1'], 'all marks')
      same(await store.marks(['unknown']), [], 'an unknown conversation')
      same(await store.marks([]), [], 'no conversations')
      same((await store.heads(['d']))[0]!.head, 0, 'a mark is no entry')
      same(await store.read('d', { after: 0, limit: 9 }), [], 'nor is it read')
    },
  },
  {
    group: 'marks',
    name: 'ends at the highest mark, whatever the order of many at once',
    async run({ open }) {
      const store = await open()
      // 7 and 101 have no common factor: every number once, in no order.
      await Promise.all(range(1, 100).map((n) => store.mark([mark('c', 'ann', (n * 7) % 101, (n * 3) % 101)])))
      same(await store.marks(['c']), [mark('c', 'ann', 100, 100)], 'the mark')
    },
  },
  {
    group: 'retention',
    name: 'reads nothing below `first`, which never goes back',
    async run({ open }) {
      const store = await open()
      await put(store, 'c', 'ann', ...range(1, 10).map((n) => text(n)))
      await put(store, 'd', 'ann', text(1))
      const [, second] = await store.read('c', { after: 0, limit: 2 })
      const blanked = second!.id.slice(-8)
      await store.retain('c', 4)
      await store.retain('c', 2)
      const [head] = await store.heads(['c'])
      same([head!.head, head!.first], [10, 4], 'head and first')
      same(seqs(await store.read('c', { after: 0, limit: 3 })), [4, 5, 6], 'forwards')
      same(seqs(await store.read('c', { after: 5, limit: 2 })), [6, 7], 'forwards above it')
      same(seqs(await store.read('c', { before: 6, limit: 9 })), [4, 5], 'backwards')
      same(await store.read('c', { before: 4, limit: 9 }), [], 'backwards below it')
      const tails = [await store.tail('c', 0), await store.tail('c', 11), await store.tail('unknown', 1)]
      same(tails, ['', '', ''], 'tails where nothing is')
      same(await store.tail('c', 2), blanked, 'the tail of what was blanked')
      same(await store.tail('c', 10), head!.tail, 'the tail at the head')
      same(contents(await store.read('c', { after: 3, limit: 1 })), ['message 4'], 'what is left')
      same((await store.heads(['d']))[0]!.first, 1, 'another conversation')
      await store.retain('unknown', 5)
      same(seqs(await put(store, 'unknown', 'ann', text(1))), [1], 'an unknown conversation still begins at 1')
      same(seqs(await store.read('unknown', { after: 0, limit: 9 })), [1], 'and is read from 1')
    },
  },
  {
    group: 'retention',
    name: 'knows retries and conflicts of what it has blanked',
    async run({ open }) {
      const store = await open()
      const item = { ...text(1, 'gone'), ref: ['ben', 'x'] as const, meta: { a: 1, b: 2 } }
      const [original] = await put(store, 'c', 'ann', item)
      await put(store, 'c', 'ann', text(2))
      await store.retain('c', 2)
      same(
        await put(store, 'c', 'ann', { ...item, meta: { b: 2, a: 1 } }),
        [{ ...original, duplicate: true }],
        'a retry',
      )
      for (const other of [{ content: 'other' }, { content: '' }, { meta: { a: 1 } }, { type: 'emoji' }]) {
        const [outcome] = await store.append([send('c', 'ann', { ...item, ...other })])
        same(outcome!.refused, { index: 0, code: 'cid_conflict' }, `a conflict: ${JSON.stringify(other)}`)
      }
      same((await store.find('c', 'ann', [cid(1)]))[0]!.seq, 1, 'a look-up')
      same(seqs(await put(store, 'c', 'ann', text(3))), [3], 'the next entry')
    },
  },
  {
    group: 'retention',
    name: 'may blank everything there is, and no more',
    async run({ open }) {
      const store = await open()
      for (const start of range(0, 11)) await put(store, 'c', 'ann', ...range(1, 100).map((n) => text(start * 100 + n)))
      await store.retain('c', Number.MAX_SAFE_INTEGER)
      const [head] = await store.heads(['c'])
      same([head!.head, head!.first], [1_200, 1_201], 'head and first')
      same(await store.read('c', { after: 0, limit: 9 }), [], 'nothing is left')
      same(seqs(await put(store, 'c', 'ann', text(5_000))), [1_201], 'the next entry')
      same(seqs(await store.read('c', { after: 0, limit: 9 })), [1_201], 'and it is read')
      same((await put(store, 'c', 'ann', text(700)))[0]!.seq, 700, 'a retry')
    },
  },
  {
    group: 'epoch and closing',
    name: 'has one epoch, other than that of another store',
    async run({ open }) {
      const store = await open()
      const epoch = await store.epoch()
      check(/^[A-Za-z0-9_-]{1,64}$/.test(epoch), `expected an id as epoch, came '${epoch}'`)
      await put(store, 'c', 'ann', text(1))
      same(await store.epoch(), epoch, 'asked again')
      check((await (await open()).epoch()) !== epoch, 'expected another epoch of another store')
    },
  },
  {
    group: 'epoch and closing',
    name: 'finishes what is under way before it closes, and rejects what comes later',
    async run({ open }) {
      const store = await open()
      await put(store, 'c', 'ann', text(0))
      const calls = range(1, 20).map((n) => store.append([send('c', 'ann', text(n))]))
      const closed = store.close()
      const outcomes = await Promise.all(calls)
      same(
        outcomes.map((outcome) => whole(outcome[0], 1)[0]!.seq),
        range(2, 21),
        'what was under way',
      )
      await closed
      await rejects(store.append([send('c', 'ann', text(99))]), 'append')
      await rejects(store.read('c', { after: 0, limit: 1 }), 'read')
      await store.close()
    },
  },
  {
    group: 'reopening',
    name: 'has everything after it was closed and opened again',
    async run({ open, reopen }) {
      const before = await open()
      if (!reopen) {
        check(!before.durable, 'A store that says `durable: true` must be opened again: pass `reopen`.')
        return
      }
      const stored = await put(before, 'c', 'ann', ...range(1, 9).map((n) => text(n, `\u0000${n}`)))
      await before.mark([mark('c', 'ben', 7, 6)])
      await before.retain('c', 3)
      const epoch = await before.epoch()
      const log = await before.read('c', { after: 0, limit: 99 })
      const heads = await before.heads(['c'])
      const after = await reopen(before)
      same(await after.epoch(), epoch, 'epoch')
      same(await after.read('c', { after: 0, limit: 99 }), log, 'entries')
      same(await after.heads(['c']), heads, 'heads')
      same(await after.marks(['c']), [mark('c', 'ben', 7, 6)], 'marks')
      const retries = await put(after, 'c', 'ann', text(1, '\u00001'), text(9, '\u00009'), text(10))
      same(
        retries.map(({ seq, duplicate }) => [seq, duplicate]),
        [
          [1, true],
          [9, true],
          [10, false],
        ],
        'retries',
      )
      same(retries[1]!.id, stored[8]!.id, 'ids')
      const [outcome] = await after.append([send('c', 'ann', text(2, 'other'))])
      same(outcome!.refused?.code, 'cid_conflict', 'a conflict with a blanked entry')
    },
  },
]
