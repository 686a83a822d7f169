import type { SendItem } from '@kithwire/protocol'
import { type Case, check, same } from './conformance.js'
import { cid, contents, put, range, readAll, type StoreBench, send, seqs, text, whole } from './store-bench.js'

const group = 'read'

/** Pages, heads, look-ups, and what a reader may see while others write. */
export const readCases: Case<StoreBench>[] = [
  {
    group,
    name: 'pages forwards and backwards, ascending both ways',
    async run({ open }) {
      const store = await open()
      await put(store, 'c', 'ann', ...range(1, 10).map((n) => text(n)))
      await put(store, 'd', 'ann', text(1))
      const windows: [Parameters<typeof store.read>[1], number[]][] = [
        [{ after: 0, limit: 3 }, [1, 2, 3]],
        [{ after: 3, limit: 3 }, [4, 5, 6]],
        [{ after: 9, limit: 3 }, [10]],
        [{ after: 0, limit: 200 }, range(1, 10)],
        [{ after: 10, limit: 3 }, []],
        [{ after: 1_000, limit: 3 }, []],
        [{ before: 11, limit: 3 }, [8, 9, 10]],
        [{ before: 8, limit: 3 }, [5, 6, 7]],
        [{ before: 3, limit: 3 }, [1, 2]],
        [{ before: 1, limit: 3 }, []],
        [{ before: Number.MAX_SAFE_INTEGER, limit: 2 }, [9, 10]],
        [{ before: 5, limit: 1 }, [4]],
      ]
      for (const [window, expected] of windows)
        same(seqs(await store.read('c', window)), expected, JSON.stringify(window))
      same(await store.read('unknown', { after: 0, limit: 10 }), [], 'an unknown conversation')
      same(await store.read('unknown', { before: 10, limit: 10 }), [], 'an unknown conversation, backwards')
    },
  },
  {
    group,
    name: 'gives back every field, and only those that were sent',
    async run({ open }) {
      const store = await open()
      const meta = { name: 'a.png', size: 3.5, deep: { list: [1, 'two', null, true] } }
      const items: SendItem[] = [
        text(1),
        { cid: cid(2), type: 'x.custom-type', content: 'full', ref: ['ben', cid(1)], meta },
        { cid: cid(3), type: 'file', content: '', meta: {} },
      ]
      const stored = await put(store, 'c', 'ann', ...items)
      const expected = items.map((item, index) => {
        const { seq, id, at } = stored[index]!
        return { ...item, seq, id, createdAt: at, conversation: 'c', from: 'ann' }
      })
      const entries = await store.read('c', { after: 0, limit: 10 })
      const byKey = (entry: object) => Object.fromEntries(Object.entries(entry).sort(([a], [b]) => (a < b ? -1 : 1)))
      same(entries.map(byKey), expected.map(byKey), 'the entries')
    },
  },
  {
    group,
    name: 'keeps the log apart from the objects of callers',
    async run({ open }) {
      const store = await open()
      const item = { ...text(1), meta: { list: ['a'] } }
      await put(store, 'c', 'ann', item)
      item.meta.list.push('b')
      const [entry] = await store.read('c', { after: 0, limit: 1 })
      same(entry!.meta, { list: ['a'] }, 'after the sender changed its object')
      entry!.content = 'changed'
      ;(entry!.meta as { list: string[] }).list.push('c')
      const [again] = await store.read('c', { after: 0, limit: 1 })
      same([again!.content, again!.meta], ['message 1', { list: ['a'] }], 'after a reader changed its object')
    },
  },
  {
    group,
    name: 'finds what a sender has stored',
    async run({ open }) {
      const store = await open()
      const stored = await put(store, 'c', 'ann', text(1), text(2))
      const found = await store.find('c', 'ann', [cid(2), cid(9), cid(1), cid(2)])
      const seen = found.map((one) => one && { seq: one.seq, id: one.id, at: one.at })
      const [one, two] = stored.map(({ seq, id, at }) => ({ seq, id, at }))
      same(
        seen.map((each) => each ?? null),
        [two, null, one, two],
        'in the order asked',
      )
      same((await store.find('c', 'ben', [cid(1)]))[0], undefined, 'another sender')
      same((await store.find('d', 'ann', [cid(1)]))[0], undefined, 'another conversation')
      same(await store.find('c', 'ann', []), [], 'no cids')
    },
  },
  {
    group,
    name: 'tells heads in the order asked, with the tail of the last id',
    async run({ open }) {
      const store = await open()
      const stored = await put(store, 'c', 'ann', text(1), text(2))
      await put(store, 'd', 'ann', text(1))
      const heads = await store.heads(['d', 'unknown', 'c', 'd'])
      same(
        heads.map(({ conversation, head, first }) => [conversation, head, first]),
        [
          ['d', 1, 1],
          ['unknown', 0, 1],
          ['c', 2, 1],
          ['d', 1, 1],
        ],
        'heads',
      )
      same([heads[1]!.tail, heads[2]!.tail], ['', stored[1]!.id.slice(-8)], 'tails')
      check(heads[2]!.tail.length === 8, 'a tail has 8 characters')
      same(await store.heads([]), [], 'no conversations')
    },
  },
  {
    group,
    name: 'never shows a gap or a head that cannot be read while others write',
    async run({ open }) {
      const store = await open()
      let writing = true
      let seen = 0
      const writers = Promise.all(
        range(0, 99).map(async (n) =>
          whole((await store.append([send('c', `u${n % 4}`, text(n), text(n + 500))]))[0], 2),
        ),
      ).finally(() => {
        writing = false
      })
      const reader = async () => {
        while (writing) {
          // Only what a call saw that had ended by now: calls that are under way together may overtake each other.
          const least = seen
          const { head, tail } = (await store.heads(['c']))[0]!
          check(head >= least, 'a head does not go back')
          const log = await readAll(store, 'c')
          check(log.length >= head, `expected the ${head} entries that the head names, came ${log.length}`)
          if (head > 0) same(log[head - 1]!.id.slice(-8), tail, 'the tail is of the entry at head')
          seen = Math.max(seen, log.length)
        }
      }
      await Promise.all([writers, reader(), reader()])
      same((await readAll(store, 'c')).length, 200, 'entries in the end')
    },
  },
  {
    group,
    name: 'gives back every string as it was',
    async run({ open }) {
      const store = await open()
      const strings = [
        '\u0000',
        'a\u0000b',
        '\u0000\u0000end\u0000',
        'é',
        'e\u0301',
        'Straße',
        '👩‍👩‍👧‍👦🏳️‍🌈',
        '\u202eRTL\u200b',
        'ﷺ',
        '𝒳',
        ' trailing ',
        '\r\n\t',
        '\ufeff',
        '\uffff',
        '1',
        '1.0',
        '007',
        '1e3',
        'NaN',
        'null',
        'true',
        '$where',
        "'; --",
        '%s\\u0000',
        '{"a":1}',
        '\u001b[31m',
        '',
      ]
      const items = strings.map((content, n): SendItem => ({ ...text(n, content), meta: { content } }))
      whole((await store.append([send('c', 'ann', ...items)]))[0], items.length)
      const entries = await store.read('c', { after: 0, limit: 200 })
      same(contents(entries), strings, 'contents')
      same(
        entries.map(({ meta }) => meta!.content),
        strings,
        'contents of meta',
      )
      const again = await put(store, 'c', 'ann', ...items)
      check(
        again.every(({ duplicate }) => duplicate),
        'each retry is a duplicate',
      )
      const big = '😀'.repeat(4_096)
      await put(store, 'big', 'ann', text(1, big))
      same(contents(await readAll(store, 'big')), [big], '16 KiB of emoji')
    },
  },
  {
    group,
    name: 'takes ids that look alike for different ones',
    async run({ open }) {
      const store = await open()
      const ids = [
        '41424344-4546-4748-894a-4b4c4d4e4f50',
        '41424344-4546-7748-894a-4b4c4d4e4f50',
        'ABCDEFGHIJKLMNOP',
        'a',
        'A',
        '41424344-4546-7748-894A-4B4C4D4E4F50',
        '41424344454677488' + '94a4b4c4d4e4f50',
        '1',
        '01',
        '1e0',
        '-1',
        '_',
        '-',
        'X'.repeat(64),
        '__proto__',
        'constructor',
        'toString',
      ]
      const stored = await put(
        store,
        'c',
        'ann',
        ...ids.map((id): SendItem => ({ cid: id, type: 'text', content: id })),
      )
      same(seqs(stored), range(1, ids.length), 'as cids')
      same(
        (await readAll(store, 'c')).map((entry) => entry.cid),
        ids,
        'cids as they were',
      )
      for (const id of [...ids, 'é', 'e\u0301', 'a b/%:?#', '😀', "o'neil", '{"$ne":null}']) {
        same((await put(store, 'users', id, text(1)))[0]!.duplicate, false, `as user: ${id}`)
        same((await put(store, `${id}`, 'ann', { ...text(9), ref: [id, id] }))[0]!.duplicate, false, `in: ${id}`)
        const [entry] = await store.read(id, { after: (await store.heads([id]))[0]!.head - 1, limit: 1 })
        same([entry!.conversation, entry!.ref], [id, [id, id]], `as conversation and ref: ${id}`)
      }
      same(
        (await readAll(store, 'users')).slice(0, 3).map(({ from }) => from),
        ids.slice(0, 3),
        'users as they were',
      )
    },
  },
]
