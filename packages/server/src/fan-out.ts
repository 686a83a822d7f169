import type { IMessage, Signal } from '@kithwire/protocol'
import type { Authorizer } from './authorize.js'
import type { OwnHead } from './heads.js'
import type { Hint } from './hint.js'
import type { HotConversations } from './hot.js'
import type { Log, LogThrottle } from './log.js'
import type { MarksFrame, OwnMarksFrame } from './marks.js'
import type { Privacy } from './privacy.js'
import { framePush, MessagesPush, type Push } from './push.js'
import type { DevicePeer, Peer, SessionRegistry } from './session-registry.js'
import { type Outcome, type Send, toMessage } from './store.js'

export interface FanOutParts {
  registry: SessionRegistry
  authorizer: Authorizer
  log: Log
  hot: HotConversations
  privacy: Privacy
}

/**
 * Hands what happened to the sockets of a conversation's members: here, and by hints to the other nodes. A push is a
 * hint, too: the log is the truth, and whoever misses one catches up.
 */
export class FanOut {
  /** What waits until it is known who the members are; the last one of each conversation. */
  private readonly asking = new Map<string, Promise<void>>()
  private readonly throttle: LogThrottle = {}

  constructor(
    private readonly parts: FanOutParts,
    /** To the nodes of these users; undefined for a server that is alone. */
    private readonly publish?: (users: readonly string[], hint: Hint) => void,
  ) {}

  /**
   * What an append has stored, to every socket of every member but `origin`.
   *
   * @param members as they were when the send was authorized: who is told to look where pushing is not enough
   */
  stored(send: Send, outcome: Outcome, members: readonly string[], origin?: Peer): void {
    const { conversation, from } = send
    const fresh: IMessage[] = []
    outcome.stored.forEach(({ seq, id, at: createdAt, duplicate }, index) => {
      if (duplicate) return
      const { cid, type, content, ref, meta } = send.items[index]!
      fresh.push(toMessage({ id, conversation, seq, from, createdAt, cid, type, content, ref, meta }, members))
    })
    if (fresh.length > 0) {
      this.publish?.(members, { kind: 'entries', conversation, seq: fresh.at(-1)!.seq, items: fresh })
      const push = new MessagesPush(conversation, fresh)
      this.toMembers(conversation, members, (now) =>
        this.hand(push, fresh, now, (peer) => peer !== origin && peer.push(push)),
      )
    }
    // A duplicate was stored by an append whose outcome somebody never learned, perhaps before it was handed out; and
    // an append that failed may have stored something. Both are seldom, and a look at the head settles them.
    const duplicates = fresh.length < outcome.stored.length
    if (duplicates || outcome.refused?.code === 'store_unavailable') this.behind(conversation, members)
    if (duplicates && this.publish) {
      const seq = Math.max(...outcome.stored.map((stored) => stored.seq))
      this.publish(members, { kind: 'entries', conversation, seq })
    }
  }

  /** Entries that another node has stored, and published to one of the members. */
  hinted({ conversation, seq, items }: Extract<Hint, { kind: 'entries' }>, user: string): void {
    const { hot } = this.parts
    this.toMembers(conversation, [user], (members) => {
      if (items === undefined) return this.look(conversation, seq, members)
      const fresh = items.filter((item) => hot.judge(conversation, item.seq) !== 'old')
      if (fresh.length === 0) return
      const push = new MessagesPush(conversation, fresh)
      if (hot.judge(conversation, fresh[0]!.seq) === 'next')
        return this.hand(push, fresh, members, (peer) => peer.push(push))
      // Something is missing before it. A bare socket cannot look, so it gets what there is.
      const known = fresh.every((item) => hot.judge(conversation, item.seq) === 'late')
      this.hand(push, fresh, members, (peer) => {
        if (peer.protocol === 'legacy') peer.push(push)
        else if (!known) peer.missed(conversation)
      })
    })
  }

  /** Marks of `cursor.user`, to every socket of the members but `origin`. */
  cursor(cursor: MarksFrame, fallback: readonly string[], origin?: Peer): void {
    this.publish?.(fallback, { kind: 'cursor', cursor })
    this.toMembers(cursor.conversation, fallback, (members) => {
      this.handMarks(cursor, members, origin)
      this.parts.hot.marked(cursor)
    })
  }

  /** What a user has read is seen by who lets others see the same, if the user does. */
  private handMarks(cursor: MarksFrame, members: readonly string[], origin?: Peer): void {
    const { privacy } = this.parts
    const push = framePush('cursor', cursor)
    const give = (all: Push, users: readonly string[]) =>
      this.toPeers(users, (peer) => peer !== origin && peer.push(all))
    if (cursor.read === 0 || privacy.open('readMarks')) {
      give(push, members)
      return
    }
    const masked = framePush('cursor', { ...cursor, read: 0 })
    void privacy.among('readMarks', members).then((shown) => {
      const sees = (user: string) => user === cursor.user || (shown.has(user) && shown.has(cursor.user))
      give(push, members.filter(sees))
      give(
        masked,
        members.filter((user) => !sees(user)),
      )
    })
  }

  /** Marks that another node has stored, and published to each of the members: the first to arrive is for all. */
  hintedCursor(cursor: MarksFrame, user: string): void {
    const { conversation } = cursor
    const { hot } = this.parts
    this.toMembers(conversation, [user], (members) => {
      if (hot.seqOf(conversation) !== undefined && !hot.lacks(cursor)) return
      this.handMarks(cursor, members)
      hot.marked(cursor)
    })
  }

  /** Marks of a user and what follows from them, to all of the user's own sockets. */
  ownCursor(cursor: OwnMarksFrame): void {
    this.publish?.([cursor.user], { kind: 'own', cursor })
    this.hintedOwnCursor(cursor)
  }

  /** The same, from another node. */
  hintedOwnCursor(cursor: OwnMarksFrame): void {
    const push = framePush('cursor', cursor)
    const { conversation, user } = cursor
    this.toMembers(conversation, [user], (members) => {
      if (members.includes(user)) this.toPeers([user], (peer) => peer.push(push))
    })
  }

  /**
   * To the sockets of these members, as far as they still are, but not of the user of whom it tells.
   *
   * @param far to other nodes, too
   */
  signal(signal: Required<Signal>, members: readonly string[], far = true): void {
    const push = framePush('signal', signal)
    const others = members.filter((user) => user !== signal.user)
    if (far) this.publish?.(others, { kind: 'signal', signal })
    this.toMembers(signal.conversation, members, (now) =>
      this.toPeers(
        others.filter((user) => now.includes(user)),
        (peer) => peer.push(push),
      ),
    )
  }

  /** To the sockets of one user here, member or not: only what tells nothing. */
  toUser(signal: Required<Signal>, user: string): void {
    const push = framePush('signal', signal)
    this.toPeers([user], (peer) => peer.push(push))
  }

  /** A signal that another node has published to one of the other members. */
  hintedSignal(signal: Required<Signal>, user: string): void {
    const push = framePush('signal', signal)
    this.toMembers(signal.conversation, [], (members) => {
      if (members.includes(user)) this.toPeers([user], (peer) => peer.push(push))
    })
  }

  /** Makes the devices of these users look at a conversation. Who is not a member gets nothing. */
  behind(conversation: string, users: readonly string[]): void {
    this.toPeers(users, (peer) => peer.missed(conversation))
  }

  /** Heads that a device is told now. */
  met(heads: readonly OwnHead[], peer: DevicePeer): void {
    const { hot, registry } = this.parts
    if (!registry.receiversOf(peer.user).includes(peer)) return
    for (const { tuple, members } of heads) {
      const [conversation, head, , , delivered, read, marks] = tuple
      hot.met(conversation, members, head, [[peer.user, delivered, read], ...marks])
      peer.introduce(conversation)
    }
  }

  private look(conversation: string, seq: number, members: readonly string[]): void {
    const { hot } = this.parts
    if (seq <= (hot.seqOf(conversation) ?? 0)) return
    this.behind(conversation, members)
    hot.told(conversation, seq)
  }

  /** Entries to those here, in their order; from then on they count as told. */
  private hand(
    push: Push,
    items: readonly IMessage[],
    members: readonly string[],
    give: (peer: Peer) => unknown,
  ): void {
    const { conversation } = push
    const { hot } = this.parts
    // Where nobody is, nothing need be remembered.
    if (!this.toPeers(members, give) && hot.seqOf(conversation) === undefined) return
    for (const { seq } of items) hot.pushed(conversation, members, seq)
  }

  /** Whether there was anybody. */
  private toPeers(users: readonly string[], give: (peer: Peer) => unknown): boolean {
    let anybody = false
    for (const user of users)
      for (const peer of this.parts.registry.receiversOf(user)) {
        give(peer)
        anybody = true
      }
    return anybody
  }

  /** @param fallback who is told to look if it cannot be known who the members are */
  private toMembers(
    conversation: string,
    fallback: readonly string[],
    deliver: (members: readonly string[]) => void,
  ): void {
    const { authorizer, log } = this.parts
    // Asked anew, not taken from before the append: a block in between must hold. At once where they are known, unless
    // an earlier push of the conversation still waits: entries are pushed in the order in which they were stored.
    const earlier = this.asking.get(conversation)
    const members = authorizer.peek(conversation)
    if (earlier === undefined && members !== undefined) {
      deliver(members)
      return
    }
    const asked = (earlier ?? Promise.resolve())
      .then(() => authorizer.members(conversation))
      .then((now) => {
        if (now !== null) deliver(now)
      })
      .catch((cause) => {
        log.failure('members_failed', cause, {}, this.throttle)
        this.behind(conversation, fallback)
      })
      .finally(() => {
        if (this.asking.get(conversation) === asked) this.asking.delete(conversation)
      })
    this.asking.set(conversation, asked)
  }
}
