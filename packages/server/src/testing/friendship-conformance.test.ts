import { describe, expect, it } from 'vitest'
import { StoredFriendships } from '../friendships.js'
import type { Friendships } from '../membership.js'
import { MemoryStore } from '../stores/memory.js'
import { type FriendshipsBench, friendshipsConformance } from './friendship-conformance.js'

/** The built-in friendships, parted by a block or by removal, seen through a port that may be wrong. */
const open = (port: (real: StoredFriendships) => Friendships, part: 'block' | 'remove') => async () => {
  const real = new StoredFriendships(new MemoryStore().friendships)
  const members = new Map<string, string>()
  const bench: FriendshipsBench = {
    friendships: port(real),
    befriend: async (one, other) => {
      const { id } = await real.request(one, other)
      await real.accept(other, id)
      members.set(id, one)
      return id
    },
    part: async (conversation) => void (await real[part](members.get(conversation)!, conversation)),
  }
  return bench
}

friendshipsConformance({ describe, it, name: 'StoredFriendships, blocked', open: open((real) => real, 'block') })
friendshipsConformance({ describe, it, name: 'StoredFriendships, removed', open: open((real) => real, 'remove') })

const port = (real: StoredFriendships, wrong: Partial<Friendships>): Friendships => ({
  members: (conversation) => real.members(conversation),
  of: (user) => real.of(user),
  refusal: (conversation, user) => real.refusal(conversation, user),
  ...wrong,
})

const broken: [name: string, caught: string, wrong: (real: StoredFriendships) => Partial<Friendships>][] = [
  [
    'throws for an unknown conversation',
    'knows no member of an unknown conversation, and does not throw',
    (real) => ({
      members: async (conversation) => {
        const members = await real.members(conversation)
        if (!members) throw new Error('CastError')
        return members
      },
    }),
  ],
  [
    'answers an empty list in place of null',
    'knows no member of an unknown conversation, and does not throw',
    (real) => ({ members: async (conversation) => (await real.members(conversation)) ?? [] }),
  ],
  [
    'tells the other one only',
    'tells both members, and both users their conversation',
    (real) => ({ members: async (conversation) => (await real.members(conversation))?.slice(0, 1) ?? null }),
  ],
  [
    'goes on listing what has ended',
    'closes a conversation at once when the two part',
    (real) => {
      const seen = new Map<string, Awaited<ReturnType<Friendships['of']>>[number]>()
      return {
        members: async (conversation) => {
          const now = await real.members(conversation)
          if (now) seen.set(conversation, { conversation, members: now })
          return now ?? seen.get(conversation)?.members ?? null
        },
        of: async (user) => {
          for (const membership of await real.of(user)) seen.set(membership.conversation, membership)
          const rows = await real.list(user, { all: true })
          return rows.map(({ id, user: other }) => ({ conversation: id, members: [user, other] }))
        },
      }
    },
  ],
  [
    'tells a stranger that somebody is blocked',
    'tells the reason of a refusal to members only',
    () => ({ refusal: async () => 'blocked' }),
  ],
]

it.each(broken)('finds a port that %s', async (_name, caught, wrong) => {
  const cases: [string, () => Promise<void>][] = []
  friendshipsConformance({
    describe: (_group, body) => body(),
    it: (name, body) => void cases.push([name, body]),
    name: 'broken',
    open: open((real) => port(real, wrong(real)), 'block'),
  })
  const failed: string[] = []
  for (const [name, body] of cases) await body().catch(() => failed.push(name))
  expect(failed).toContain(caught)
})
