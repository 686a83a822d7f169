import type { FriendshipRow, Store } from '../store.js'
import { type Case, check, same } from './conformance.js'
import { put, range, readAll, type StoreBench, send, seqs, text, whole } from './store-bench.js'

const group = 'two instances'

const open = async (bench: StoreBench): Promise<[Store, Store]> => {
  const one = await bench.open()
  check(bench.second !== undefined, 'These cases need `second`.')
  return [one, await bench.second(one)]
}

/** Two instances on the same data at once, as two processes of a deploy have it. */
export const instancesCases: Case<StoreBench>[] = [
  {
    group,
    name: 'each goes on where the other has stopped',
    async run(bench) {
      const [one, two] = await open(bench)
      for (const n of range(0, 9)) {
        same(seqs(await put(one, 'c', 'ann', text(2 * n))), [2 * n + 1], 'one')
        same((await two.heads(['c']))[0]!.head, 2 * n + 1, 'the head in the other')
        same(seqs(await put(two, 'c', 'ben', text(2 * n + 1))), [2 * n + 2], 'two')
        same(seqs(await one.read('c', { after: 2 * n, limit: 9 })), [2 * n + 1, 2 * n + 2], 'the log in the one')
      }
      same(await readAll(one, 'c'), await readAll(two, 'c'), 'both logs')
      same(await one.epoch(), await two.epoch(), 'both epochs')
    },
  },
  {
    group,
    name: 'a retry through the other is a duplicate, other content a conflict',
    async run(bench) {
      const [one, two] = await open(bench)
      const [original] = await put(one, 'c', 'ann', text(1))
      same(await put(two, 'c', 'ann', text(1)), [{ ...original, duplicate: true }], 'a retry')
      const [outcome] = await two.append([send('c', 'ann', text(1, 'other'))])
      same(outcome!.refused?.code, 'cid_conflict', 'a conflict')
    },
  },
  {
    group,
    name: 'equal sends through both at once make one entry',
    async run(bench) {
      const both = await open(bench)
      const outcomes = await Promise.all(range(0, 199).map((n) => both[n % 2]!.append([send('c', 'ann', text(1))])))
      const stored = outcomes.flatMap((outcome) => whole(outcome[0], 1))
      same(new Set(stored.map(({ seq, id }) => `${seq} ${id}`)).size, 1, 'different answers')
      same(stored.filter(({ duplicate }) => !duplicate).length, 1, 'originals')
      same((await readAll(both[0], 'c')).length, 1, 'entries')
    },
  },
  {
    group,
    name: 'many sends through both at once leave no gap',
    async run(bench) {
      const both = await open(bench)
      await Promise.all(
        range(0, 199).map(async (n) => {
          const sends = [send(`c${n % 2}`, 'ann', text(2 * n), text(2 * n + 1))]
          whole((await both[(n >> 1) % 2]!.append(sends))[0], 2)
        }),
      )
      for (const conversation of ['c0', 'c1']) {
        same((await readAll(both[0], conversation)).length, 200, `entries of ${conversation}`)
        same(await both[0].heads([conversation]), await both[1].heads([conversation]), 'heads')
      }
    },
  },
  {
    group,
    name: 'marks, retention and friendships of one are seen by the other',
    async run(bench) {
      const [one, two] = await open(bench)
      await put(one, 'c', 'ann', ...range(1, 5).map((n) => text(n)))
      await one.mark([{ conversation: 'c', user: 'ben', delivered: 4, read: 2 }])
      const merged = await two.mark([{ conversation: 'c', user: 'ben', delivered: 3, read: 3 }])
      same(merged, [{ conversation: 'c', user: 'ben', delivered: 4, read: 3 }], 'marks')
      await one.retain('c', 3)
      same((await two.heads(['c']))[0]!.first, 3, 'first')
      same(seqs(await two.read('c', { after: 0, limit: 9 })), [3, 4, 5], 'the log')
      if (!one.friendships || !two.friendships) return
      const row = (id: string, user1: string, user2: string): FriendshipRow => ({
        id,
        user1,
        user2,
        state: 'pending',
        requester: user1,
        blockedBy: [],
        createdAt: 1,
        changedAt: 1,
        version: 1,
      })
      const first = await Promise.all([
        one.friendships.put(row('f1', 'ann', 'ben'), undefined),
        two.friendships.put(row('f2', 'ben', 'ann'), undefined),
      ])
      same(first.filter(Boolean).length, 1, 'rows of a pair that two make at once')
      const seen = await one.friendships.between('ann', 'ben')
      same(await two.friendships.get(seen!.id), seen, 'the row in the other')
    },
  },
]
