import { type Cursor, encode, encodeLegacy, type IMessage, type Signal } from '@kithwire/protocol'
import type { Authorizer } from './authorize.js'
import type { Log, LogThrottle } from './log.js'
import type { Peer, SessionRegistry } from './session-registry.js'
import { type Outcome, type Send, toMessage } from './store.js'

/** What happened in a conversation, encoded when the first socket asks, once for all. */
export interface Push {
  readonly conversation: string
  readonly kind: 'messages' | 'cursor' | 'signal'
  /** Frames for `kithwire.v1`. */
  frames(): readonly string[]
  /** Bare frames for a legacy socket of `reader`. */
  bare(reader: string): readonly string[]
}

/**
 * Hands what happened to the sockets of a conversation's members on this process. A hint only: the log is the truth, and
 * whoever misses one catches up. The one place where a bus for more processes is to be added.
 */
export class FanOut {
  /** Pushes that wait until it is known who the members are; the last one of each conversation. */
  private readonly asking = new Map<string, Promise<void>>()
  private readonly throttle: LogThrottle = new Map()

  constructor(
    private readonly registry: SessionRegistry,
    private readonly authorizer: Authorizer,
    private readonly log: Log,
  ) {}

  /**
   * What an append has stored, to every socket of every member but `origin`.
   *
   * @param members as they were when the send was authorized: who is told to look where pushing is not enough
   */
  stored(send: Send, outcome: Outcome, members: readonly string[], origin?: Peer): void {
    const { conversation, from } = send
    const fresh: IMessage[] = []
    for (const [index, { seq, id, at, duplicate }] of outcome.stored.entries())
      if (!duplicate)
        fresh.push(toMessage({ id, conversation, seq, from, createdAt: at, ...send.items[index]! }, members))
    if (fresh.length > 0) this.toMembers(messagesPush(conversation, fresh), members, (peer) => peer !== origin)
    // A duplicate was stored by an append whose outcome somebody never learned, perhaps before it was handed out; and
    // an append that failed may have stored something. Both are seldom, and a look at the head settles them.
    const unsure = fresh.length < outcome.stored.length || outcome.refused?.code === 'store_unavailable'
    if (unsure) this.behind(conversation, members)
  }

  /** Marks of `cursor.user`, to every socket of the members but `origin`. */
  cursor(cursor: Cursor, fallback: readonly string[], origin?: Peer): void {
    this.toMembers(framePush('cursor', cursor), fallback, (peer) => peer !== origin)
  }

  /** To the sockets of the other members. */
  signal(signal: Signal, members: readonly string[]): void {
    this.toMembers(framePush('signal', signal), members, (peer) => peer.user !== signal.user)
  }

  /** Makes the devices of these users look at a conversation. Who is not a member gets nothing. */
  behind(conversation: string, users: readonly string[]): void {
    for (const user of users) for (const peer of this.registry.receiversOf(user)) peer.missed(conversation)
  }

  private toMembers(push: Push, fallback: readonly string[], wanted: (peer: Peer) => boolean): void {
    const { conversation } = push
    const deliver = (members: readonly string[] | null) => {
      for (const user of members ?? [])
        for (const peer of this.registry.receiversOf(user)) if (wanted(peer)) peer.push(push)
    }
    // Asked anew, not taken from before the append: a block in between must hold. At once where they are known, unless
    // an earlier push of the conversation still waits: entries are pushed in the order in which they were stored.
    const earlier = this.asking.get(conversation)
    const members = this.authorizer.peek(conversation)
    if (earlier === undefined && members !== undefined) {
      deliver(members)
      return
    }
    const asked = (earlier ?? Promise.resolve())
      .then(() => this.authorizer.members(conversation))
      .then(deliver)
      .catch((cause) => {
        this.log.failure('members_failed', cause, {}, this.throttle)
        this.behind(conversation, fallback)
      })
      .finally(() => {
        if (this.asking.get(conversation) === asked) this.asking.delete(conversation)
      })
    this.asking.set(conversation, asked)
  }
}

function messagesPush(conversation: string, items: readonly IMessage[]): Push {
  let frames: string[] | undefined
  return {
    conversation,
    kind: 'messages',
    frames() {
      frames ??= runs(items).map((run) => encode({ t: 'messages', conversation, items: run }))
      return frames
    },
    bare: (reader) => items.map((item) => encodeLegacy(item, reader)).filter((text) => text !== undefined),
  }
}

function framePush(kind: 'cursor' | 'signal', frame: Cursor | Signal): Push {
  let text: string | undefined
  return {
    conversation: frame.conversation,
    kind,
    frames() {
      text ??= encode(frame)
      return [text]
    },
    bare: () => [],
  }
}

/** Cuts at every hole: a `messages` frame holds consecutive seqs, which those of one send need not be. */
export function runs(items: readonly IMessage[]): IMessage[][] {
  const parts: IMessage[][] = []
  for (const item of items) {
    const part = parts.at(-1)
    if (part !== undefined && part.at(-1)!.seq + 1 === item.seq) part.push(item)
    else parts.push([item])
  }
  return parts
}
