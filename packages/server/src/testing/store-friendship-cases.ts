import type { FriendshipRow, FriendshipRows, Store } from '../store.js'
import { type Case, check, same } from './conformance.js'
import { range, type StoreBench } from './store-bench.js'

const group = 'friendships'

const row = (id: string, user1: string, user2: string, more: Partial<FriendshipRow> = {}): FriendshipRow => ({
  id,
  user1,
  user2,
  state: 'pending',
  requester: user1,
  blockedBy: [],
  createdAt: 1_700_000_000_000,
  changedAt: 1_700_000_000_000,
  version: 1,
  ...more,
})

function rows(store: Store): FriendshipRows {
  check(
    store.friendships !== undefined,
    "A store without `friendships` must skip this group: skip: { friendships: '…' }.",
  )
  return store.friendships
}

const ids = (found: readonly FriendshipRow[]): string[] => found.map(({ id }) => id).sort()

/** One row per pair, changed by compare and set only. */
export const friendshipCases: Case<StoreBench>[] = [
  {
    group,
    name: 'finds a row by id, by pair either way round, and by user',
    async run({ open }) {
      const friendships = rows(await open())
      const full = row('f1', 'zoe', 'ann', { state: 'accepted', blockedBy: ['zoe', 'ann'], version: 7, changedAt: 5 })
      same(await friendships.put(full, undefined), true, 'put')
      await friendships.put(row('f2', 'ann', 'ben'), undefined)
      await friendships.put(row('f3', 'ben', 'cyd', { state: 'removed' }), undefined)
      same(await friendships.get('f1'), full, 'by id')
      same(await friendships.between('ann', 'zoe'), full, 'by pair')
      same(await friendships.between('zoe', 'ann'), full, 'by pair, the other way round')
      same(ids(await friendships.of('ann')), ['f1', 'f2'], 'of ann')
      same(ids(await friendships.of('ben')), ['f2', 'f3'], 'of ben')
      same(await friendships.get('f9'), undefined, 'an unknown id')
      same(await friendships.between('ann', 'cyd'), undefined, 'an unknown pair')
      same(await friendships.of('nobody'), [], 'an unknown user')
    },
  },
  {
    group,
    name: 'has one row per pair, whichever way round',
    async run({ open }) {
      const friendships = rows(await open())
      same(await friendships.put(row('f1', 'zoe', 'ann'), undefined), true, 'the first')
      same(await friendships.put(row('f2', 'zoe', 'ann'), undefined), false, 'the same way round')
      same(await friendships.put(row('f3', 'ann', 'zoe'), undefined), false, 'the other way round')
      same(await friendships.put(row('f1', 'ann', 'ben'), undefined), false, 'another pair under a used id')
      same(ids(await friendships.of('ann')), ['f1'], 'of ann')
      const made = await Promise.all(
        range(1, 50).map((n) => friendships.put(n % 2 ? row(`g${n}`, 'a', 'b') : row(`g${n}`, 'b', 'a'), undefined)),
      )
      same(made.filter(Boolean).length, 1, 'of 50 at once')
    },
  },
  {
    group,
    name: 'changes a row only for who has seen its last version',
    async run({ open }) {
      const friendships = rows(await open())
      const first = row('f1', 'ann', 'ben')
      same(await friendships.put(first, 1), false, 'a change of a row that is not there')
      await friendships.put(first, undefined)
      const second = {
        ...first,
        user1: 'ben',
        user2: 'ann',
        state: 'accepted' as const,
        version: 2,
        blockedBy: ['ben'],
      }
      same(await friendships.put(second, 1), true, 'a change')
      same(await friendships.put({ ...first, state: 'removed', version: 2 }, 1), false, 'by a version that is gone')
      same(await friendships.put({ ...first, user2: 'cyd', version: 3 }, 2), false, 'of the pair itself')
      same(await friendships.get('f1'), second, 'the row')
      same(await friendships.between('ann', 'ben'), second, 'by pair')
      same(await friendships.of('cyd'), [], 'of a user who was not in it')
      const changed = await Promise.all(
        range(1, 50).map((n) => friendships.put({ ...second, version: 3, changedAt: n }, 2)),
      )
      same(changed.filter(Boolean).length, 1, 'of 50 changes at once')
    },
  },
  {
    group,
    name: 'keeps users with unusual ids apart, and rows apart from the objects of callers',
    async run({ open }) {
      const friendships = rows(await open())
      const users = [
        '__proto__',
        'constructor',
        'a:b',
        'a',
        'b:c',
        'c',
        'Ann',
        'ann',
        'é',
        'e\u0301',
        '😀',
        "o'neil",
        '1',
        '01',
      ]
      const pairs = users.flatMap((one, index) => users.slice(index + 1).map((other) => [one, other] as const))
      for (const [index, [one, other]] of pairs.entries())
        same(await friendships.put(row(`f${index}`, one, other), undefined), true, `${one} and ${other}`)
      for (const [index, [one, other]] of pairs.entries())
        same((await friendships.between(other, one))?.id, `f${index}`, `${other} and ${one}`)
      for (const user of users) same((await friendships.of(user)).length, users.length - 1, `rows of ${user}`)
      const mine = row('own', 'x', 'y', { blockedBy: ['x'] })
      await friendships.put(mine, undefined)
      mine.state = 'accepted'
      const seen = await friendships.get('own')
      same(seen!.state, 'pending', 'after the caller changed its object')
      ;(seen!.blockedBy as string[]).push('y')
      same((await friendships.get('own'))!.blockedBy, ['x'], 'after a reader changed its object')
    },
  },
  {
    group,
    name: 'has its rows after it was closed and opened again',
    async run({ open, reopen }) {
      const before = await open()
      if (!reopen)
        return check(!before.durable, 'A store that says `durable: true` must be opened again: pass `reopen`.')
      await rows(before).put(row('f1', 'zoe', 'ann'), undefined)
      const after = rows(await reopen(before))
      same(await after.between('ann', 'zoe'), row('f1', 'zoe', 'ann'), 'the row')
      same(await after.put(row('f2', 'ann', 'zoe'), undefined), false, 'a second one')
      same(await after.put(row('f1', 'zoe', 'ann', { version: 2 }), 1), true, 'a change')
    },
  },
]
