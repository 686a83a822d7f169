import { FakeClock } from '@kithwire/protocol/testing'
import { beforeEach, describe, expect, it } from 'vitest'
import { StoredFriendships } from './friendships.js'
import type { FriendshipRow, FriendshipRows } from './store.js'
import { MemoryStore } from './stores/memory.js'

let runtime: FakeClock
let rows: FriendshipRows
let changes: [string, readonly string[]][]
let friendships: StoredFriendships

beforeEach(() => {
  runtime = new FakeClock()
  rows = new MemoryStore({ runtime }).friendships
  changes = []
  friendships = new StoredFriendships(rows, {
    runtime,
    maxPending: 3,
    isUser: (user) => user !== 'nobody',
    onChange: (...change) => void changes.push(change),
  })
})

const befriend = async () => {
  const { id } = await friendships.request('ann', 'ben')
  await friendships.accept('ben', id)
  return id
}

describe('StoredFriendships', () => {
  it('opens a conversation only once the other one has accepted', async () => {
    const { id, state } = await friendships.request('ben', 'ann')
    expect(state).toBe('pending')
    expect(await friendships.members(id)).toBeNull()
    expect(await friendships.of('ann')).toEqual([])
    expect(changes).toEqual([])
    expect(await friendships.accept('ann', id)).toMatchObject({ id, user: 'ben', state: 'accepted', requester: 'ben' })
    expect(await friendships.members(id)).toEqual(['ann', 'ben'])
    expect(await friendships.of('ann')).toEqual([{ conversation: id, members: ['ann', 'ben'] }])
    expect(changes).toEqual([[id, ['ann', 'ben']]])
  })

  it('tells of a change that is there already: whoever made it may have died before it told', async () => {
    const id = await befriend()
    changes.length = 0
    for (const action of ['accept', 'unblock'] as const) {
      await friendships[action]('ben', id)
      expect(changes.splice(0), action).toEqual([[id, ['ann', 'ben']]])
    }
    await friendships.block('ann', id)
    changes.length = 0
    await friendships.block('ann', id)
    expect(changes).toEqual([[id, ['ann', 'ben']]])
    expect(await rows.get(id)).toMatchObject({ blockedBy: ['ann'], version: 3 })
  })

  it('tells of a write that failed, which may have been made all the same', async () => {
    const id = await befriend()
    changes.length = 0
    const { put } = rows
    rows.put = async (...args) => {
      await put.apply(rows, args)
      throw new Error('the store does not answer')
    }
    await expect(friendships.block('ann', id)).rejects.toThrow('does not answer')
    expect(changes).toEqual([[id, ['ann', 'ben']]])
    expect(await friendships.members(id)).toBeNull()
  })

  it('keeps one row per pair, whoever asks and however often', async () => {
    const first = await friendships.request('ben', 'ann')
    expect(await friendships.request('ben', 'ann')).toEqual(first)
    const crossing = await friendships.request('ann', 'ben')
    expect(crossing).toMatchObject({ id: first.id, state: 'accepted' })
    expect(await friendships.request('ben', 'ann')).toMatchObject({ id: first.id, state: 'accepted' })
    expect(await rows.of('ann')).toHaveLength(1)
  })

  it('makes one row of many requests at once, from both sides', async () => {
    const asked = await Promise.all(
      Array.from({ length: 20 }, (_, index) =>
        index % 2 ? friendships.request('ann', 'ben') : friendships.request('ben', 'ann'),
      ),
    )
    expect(new Set(asked.map(({ id }) => id)).size).toBe(1)
    expect(await rows.of('ben')).toMatchObject([{ state: 'accepted' }])
  })

  it('takes a row that was stored the other way round', async () => {
    const row: FriendshipRow = {
      id: '5d1328295793f14020a979d5',
      user1: 'zoe',
      user2: 'ann',
      state: 'accepted',
      requester: 'zoe',
      blockedBy: [],
      createdAt: 1,
      changedAt: 1,
      version: 1,
    }
    expect(await rows.put(row, undefined)).toBe(true)
    expect(await friendships.request('ann', 'zoe')).toMatchObject({ id: row.id, state: 'accepted' })
    expect(await friendships.between('zoe', 'ann')).toMatchObject({ id: row.id, user: 'ann' })
  })

  it('closes at once when one blocks, tells only the two, and opens again when both have taken it back', async () => {
    const id = await befriend()
    await friendships.block('ann', id)
    await friendships.block('ben', id)
    expect(await friendships.members(id)).toBeNull()
    expect(await friendships.refusal(id, 'ben')).toBe('blocked')
    expect(await friendships.refusal(id, 'cyd')).toBe('not_found')
    expect(await friendships.refusal('unknown', 'cyd')).toBe('not_found')
    await expect(friendships.request('ben', 'ann')).rejects.toMatchObject({ code: 'blocked' })
    await friendships.unblock('ann', id)
    expect(await friendships.members(id)).toBeNull()
    await friendships.unblock('ben', id)
    expect(await friendships.members(id)).toEqual(['ann', 'ben'])
    // accept, the first block, the last unblock: what changed nothing for anybody is not told.
    expect(changes).toHaveLength(3)
  })

  it('lets only the right one answer, and the same answer again', async () => {
    const { id } = await friendships.request('ann', 'ben')
    await expect(friendships.accept('ann', id)).rejects.toMatchObject({ code: 'bad_state' })
    await expect(friendships.decline('ann', id)).rejects.toMatchObject({ code: 'bad_state' })
    await expect(friendships.cancel('ben', id)).rejects.toMatchObject({ code: 'bad_state' })
    expect(await friendships.decline('ben', id)).toMatchObject({ state: 'declined' })
    expect(await friendships.decline('ben', id)).toMatchObject({ state: 'declined' })
    await expect(friendships.accept('ben', id)).rejects.toMatchObject({ code: 'bad_state' })
    expect(await friendships.request('ann', 'ben')).toMatchObject({ id, state: 'pending' })
    expect(await friendships.cancel('ann', id)).toMatchObject({ state: 'cancelled' })
  })

  it('removes a friendship, takes back a request, and keeps the id for the next time', async () => {
    const id = await befriend()
    expect(await friendships.remove('ben', id)).toMatchObject({ state: 'removed' })
    expect(await friendships.remove('ann', id)).toMatchObject({ state: 'removed' })
    expect(await friendships.members(id)).toBeNull()
    expect(await friendships.list('ann')).toEqual([])
    expect(await friendships.list('ann', { all: true })).toHaveLength(1)
    expect(await friendships.request('ben', 'ann')).toMatchObject({ id, state: 'pending' })
    expect(await friendships.remove('ben', id)).toMatchObject({ state: 'cancelled' })
  })

  it.each(['accept', 'decline', 'cancel', 'remove', 'block', 'unblock'] as const)(
    'answers %s by a stranger as if there were no such row',
    async (action) => {
      const id = await befriend()
      const strange = friendships[action]('cyd', id)
      const unknown = friendships[action]('cyd', 'unknown')
      await expect(strange).rejects.toMatchObject({ code: 'not_found' })
      const message = await unknown.catch((error: Error) => error.message)
      expect(await strange.catch((error: Error) => error.message)).toBe(message)
    },
  )

  it('refuses a request to oneself, to nobody, of no user, and beyond the limit', async () => {
    await expect(friendships.request('ann', 'ann')).rejects.toMatchObject({ code: 'bad_field' })
    await expect(friendships.request('ann', 'nobody')).rejects.toMatchObject({ code: 'not_found' })
    await expect(friendships.request('ann', 'a\nb')).rejects.toMatchObject({ code: 'bad_field' })
    await expect(friendships.request('ann', 'x'.repeat(5_000))).rejects.toMatchObject({ code: 'bad_field' })
    for (const user of ['a', 'b', 'c']) await friendships.request('ann', user)
    await expect(friendships.request('ann', 'd')).rejects.toMatchObject({ code: 'rate_limited' })
  })

  it('never lets two pairs share a conversation, whatever their ids look like', async () => {
    const pairs = [
      ['a:b', 'c'],
      ['a', 'b:c'],
      ['a/b', 'c'],
      ['a', 'b/c'],
      ['a%3Ab', 'c'],
      ['a b', 'c'],
      ['__proto__', 'constructor'],
      ['toString', '__proto__'],
    ] as const
    const ids = await Promise.all(pairs.map(async ([one, other]) => (await friendships.request(one, other)).id))
    expect(new Set(ids).size).toBe(pairs.length)
  })

  it('gives up with conflict when somebody else is always faster', async () => {
    const id = await befriend()
    const slow = new StoredFriendships({ ...methods(rows), put: async () => false }, { runtime })
    await expect(slow.block('ann', id)).rejects.toMatchObject({ code: 'conflict' })
    await expect(slow.request('ann', 'eve')).rejects.toMatchObject({ code: 'conflict' })
  })

  it('decides again on the row that somebody else changed in between', async () => {
    const { id } = await friendships.request('ann', 'ben')
    let first = true
    const raced = new StoredFriendships(
      {
        ...methods(rows),
        put: async (row, expected) => {
          if (first) await friendships.block('ann', id)
          first = false
          return rows.put(row, expected)
        },
      },
      { runtime },
    )
    await expect(raced.accept('ben', id)).rejects.toMatchObject({ code: 'blocked' })
  })
})

const methods = (from: FriendshipRows): FriendshipRows => ({
  get: (id) => from.get(id),
  between: (one, other) => from.between(one, other),
  of: (user) => from.of(user),
  put: (row, expected) => from.put(row, expected),
})
