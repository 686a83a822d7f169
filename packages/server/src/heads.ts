import type { HeadTuple, MarkTuple } from '@kithwire/protocol'
import type { Context } from './context.js'
import type { Membership } from './membership.js'
import type { Head, Mark } from './store.js'

/** A conversation of a user: its head as the wire has it, and who else is there. */
export interface OwnHead {
  tuple: HeadTuple
  members: readonly string[]
}

export interface HeadsQuestion {
  /** @default all conversations */
  only?: ReadonlySet<string>
  /** Conversations of which the device counts for itself what is unread: it has them, and they may be long. */
  knows(conversation: string): boolean
}

/** The heads of the conversations that a user is a member of now. Rejects as store and port do. */
export async function readHeads(
  { friendships, privacy, store }: Pick<Context, 'friendships' | 'privacy' | 'store'>,
  user: string,
  { only, knows }: HeadsQuestion,
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
  const own = memberships.map((membership, index) => ({
    members: membership.members,
    tuple: headTuple(user, membership, heads[index]!, marksOf.get(membership.conversation) ?? []),
  }))
  if (!privacy.open('readMarks')) await hideReadMarks(privacy, user, own)
  const ahead = own.filter(({ tuple }) => tuple[8]! < tuple[1] && !knows(tuple[0]))
  if (ahead.length === 0) return own
  const ranges = ahead.map(({ tuple }) => ({ conversation: tuple[0], after: tuple[8]!, to: tuple[1], except: user }))
  const counts = await store.count(ranges)
  for (const [index, head] of ahead.entries()) head.tuple = withUnread(head.tuple, counts[index]!)
  return own
}

async function hideReadMarks(privacy: Context['privacy'], user: string, heads: readonly OwnHead[]): Promise<void> {
  const shown = await privacy.among('readMarks', [...new Set(heads.flatMap(({ members }) => members))])
  for (const head of heads) {
    const [conversation, at, first, joined, delivered, read, marks, ...rest] = head.tuple
    const masked = marks.map(([other, got, seen]): MarkTuple => {
      return [other, got, shown.has(user) && shown.has(other) ? seen : 0]
    })
    head.tuple = [conversation, at, first, joined, delivered, read, masked, ...rest]
  }
}

function withUnread(tuple: HeadTuple, unread: number): HeadTuple {
  const [conversation, head, first, joined, delivered, read, marks, tail, seen] = tuple
  return [conversation, head, first, joined, delivered, read, marks, tail, seen, unread]
}

function headTuple(user: string, membership: Membership, head: Head, marks: readonly Mark[]): HeadTuple {
  const of = new Map(marks.map((mark) => [mark.user, mark]))
  const own = of.get(user)
  // Who has got nothing yet is named all the same: a client learns here who the others are.
  const others = membership.members
    .filter((member) => member !== user)
    .map((member): MarkTuple => [member, of.get(member)?.delivered ?? 0, of.get(member)?.read ?? 0])
  const seen = own?.seen ?? own?.read ?? 0
  return [
    membership.conversation,
    head.head,
    head.first,
    membership.joined ?? 0,
    own?.delivered ?? 0,
    own?.read ?? 0,
    others,
    head.tail,
    ...(seen < head.head ? ([seen] as const) : ([seen, 0] as const)),
  ]
}
