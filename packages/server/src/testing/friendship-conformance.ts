import type { Friendships } from '../membership.js'
import { type Case, check, type Runner, same, suite } from './conformance.js'

/** What a test of an app's own friend table must be able to do with it. */
export interface FriendshipsBench {
  friendships: Friendships
  /** Makes friends of two users who are none, and returns the id of their conversation. */
  befriend(one: string, other: string): Promise<string>
  /** Ends it: removes, or blocks. */
  part(conversation: string): Promise<void>
  close?(): Promise<void>
}

export interface FriendshipsConformanceOptions extends Runner {
  name: string
  /** Opens a friend table without rows. */
  open(): Promise<FriendshipsBench>
  /** Users of the app that may be befriended, at least three. @default ['ann', 'ben', 'cyd', "d'é:1"] */
  users?: readonly string[]
  /** The name of a case → why it does not apply. */
  skip?: { readonly [caseOrGroup: string]: string }
}

interface Bench {
  open(): Promise<FriendshipsBench>
  users: readonly string[]
}

const group = 'membership'
const UNKNOWN = [
  'unknown',
  '',
  '0',
  '__proto__',
  'constructor',
  "' OR 1=1 --",
  '{"$ne":null}',
  'x'.repeat(64),
  '5d1328295793f14020a979d5',
]
const sorted = (users: readonly string[]) => [...users].sort()

const cases: Case<Bench>[] = [
  {
    group,
    name: 'knows no member of an unknown conversation, and does not throw',
    async run({ open }) {
      const { friendships } = await open()
      for (const conversation of UNKNOWN)
        same(await friendships.members(conversation), null, `members of '${conversation}'`)
      for (const user of UNKNOWN) same(await friendships.of(user), [], `conversations of '${user}'`)
    },
  },
  {
    group,
    name: 'tells both members, and both users their conversation',
    async run({ open, users }) {
      const { friendships, befriend } = await open()
      const [one, other, third] = users as [string, string, string]
      const conversation = await befriend(one, other)
      check(/^[A-Za-z0-9_-]{1,64}$/.test(conversation), `expected an id of [A-Za-z0-9_-]{1,64}, came '${conversation}'`)
      same(sorted((await friendships.members(conversation)) ?? []), sorted([one, other]), 'members')
      for (const user of [one, other]) {
        const mine = await friendships.of(user)
        same(
          mine.map((membership) => membership.conversation),
          [conversation],
          `conversations of ${user}`,
        )
        same(sorted(mine[0]!.members), sorted([one, other]), `members for ${user}`)
        const joined = mine[0]!.joined ?? 0
        check(Number.isSafeInteger(joined) && joined >= 0, `expected a seq as joined, came ${joined}`)
      }
      same(await friendships.of(third), [], 'conversations of a third user')
    },
  },
  {
    group,
    name: 'keeps all pairs apart',
    async run({ open, users }) {
      const { friendships, befriend } = await open()
      const made = new Map<string, string[]>()
      for (const [index, one] of users.entries())
        for (const other of users.slice(index + 1)) made.set(await befriend(one, other), sorted([one, other]))
      same(made.size, (users.length * (users.length - 1)) / 2, 'conversations')
      for (const [conversation, pair] of made)
        same(sorted((await friendships.members(conversation)) ?? []), pair, `members of ${conversation}`)
      for (const user of users) same((await friendships.of(user)).length, users.length - 1, `conversations of ${user}`)
    },
  },
  {
    group,
    name: 'closes a conversation at once when the two part',
    async run({ open, users }) {
      const { friendships, befriend, part } = await open()
      const [one, other, third] = users as [string, string, string]
      const ended = await befriend(one, other)
      const kept = await befriend(one, third)
      await part(ended)
      same(await friendships.members(ended), null, 'members')
      same(
        (await friendships.of(one)).map((membership) => membership.conversation),
        [kept],
        'what is left to one',
      )
      same(await friendships.of(other), [], 'what is left to the other')
    },
  },
  {
    group,
    name: 'tells the reason of a refusal to members only',
    async run({ open, users }) {
      const { friendships, befriend, part } = await open()
      if (!friendships.refusal) return
      const [one, other, third] = users as [string, string, string]
      const conversation = await befriend(one, other)
      await part(conversation)
      const mine = await friendships.refusal(conversation, one)
      check(mine === 'blocked' || mine === 'not_found', `expected 'blocked' or 'not_found', came '${mine}'`)
      same(await friendships.refusal(conversation, third), 'not_found', 'for a stranger')
      for (const unknown of UNKNOWN) same(await friendships.refusal(unknown, one), 'not_found', `for '${unknown}'`)
    },
  },
]

/** Checks an app's own `Friendships`, the two functions by which Kithwire asks who may talk to whom. */
export function friendshipsConformance(options: FriendshipsConformanceOptions): void {
  const { describe, it, name, open, users = ['ann', 'ben', 'cyd', "d'é:1"], skip } = options
  if (users.length < 3) throw new TypeError(`users: expected at least three, came ${users.length}.`)
  const prepare = () => {
    const opened: FriendshipsBench[] = []
    const keep = async () => {
      const bench = await open()
      opened.push(bench)
      return bench
    }
    const cleanUp = async () => {
      for (const bench of opened) await bench.close?.()
    }
    return { bench: { open: keep, users }, cleanUp }
  }
  suite({ describe, it, name, cases, prepare, ...(skip && { skip }) })
}
