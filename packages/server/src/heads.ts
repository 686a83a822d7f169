import type { HeadTuple, MarkTuple } from '@kithwire/protocol'
import type { Context } from './context.js'
import type { Membership } from './membership.js'
import type { Head, Mark } from './store.js'

/** A conversation of a user: its head as the wire has it, and who else is there. */
export interface OwnHead {
  tuple: HeadTuple
  members: readonly string[]
}

/** The heads of all conversations that a user is a member of now, or of those in `only`. Rejects as store and port do. */
export async function readHeads(
  { friendships, store }: Pick<Context, 'friendships' | 'store'>,
  user: string,
  only?: ReadonlySet<string>,
): Promise<OwnHead[]> {
  const all = await friendships.of(user)
  const memberships = only === undefined ? all : all.filter(({ conversation }) => only.has(conversation))
  if (memberships.length === 0) return []
  const conversations = memberships.map(({ conversation }) => conversation)
  const [heads, marks] = await Promise.all([store.heads(conversations), store.marks(conversations)])
  const marksOf = new Map<string, Mark[]>()
  for (const mark of marks) {
    const list = marksOf.get(mark.conversation)
    if (list === undefined) marksOf.set(mark.conversation, [mark])
    else list.push(mark)
  }
  return memberships.map((membership, index) => ({
    members: membership.members,
    tuple: headTuple(user, membership, heads[index]!, marksOf.get(membership.conversation) ?? []),
  }))
}

function headTuple(user: string, membership: Membership, head: Head, marks: readonly Mark[]): HeadTuple {
  const of = new Map(marks.map((mark) => [mark.user, mark]))
  const own = of.get(user)
  // Who has got nothing yet is named all the same: a client learns here who the others are.
  const others = membership.members
    .filter((member) => member !== user)
    .map((member): MarkTuple => [member, of.get(member)?.delivered ?? 0, of.get(member)?.read ?? 0])
  return [
    membership.conversation,
    head.head,
    head.first,
    membership.joined ?? 0,
    own?.delivered ?? 0,
    own?.read ?? 0,
    others,
    head.tail,
  ]
}
