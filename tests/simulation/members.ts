import type { ConversationPlan } from './plan.js'
import type { ServerHost } from './server-host.js'
import type { World } from './world.js'

/** Ms between two tries of a request that failed. */
const RETRY_MS = 400

/**
 * Who is a friend of whom, as the people of the simulation want it. From the answer to a block until the next unblock is
 * asked for, nothing of the conversation may reach anybody; in between, nobody may say.
 */
export class Members {
  private readonly blocked = new Map<string, string>()
  /** Conversations whose unblock is being insisted on: the people of the simulation do one thing at a time. */
  private readonly insisting = new Set<string>()
  /** Whether the last block of a conversation can still take effect. */
  private readonly answered = new Map<string, () => boolean>()

  constructor(private readonly world: World) {
    for (const conversation of world.plan.conversations) {
      if (conversation.accepted === 0) continue
      world.wire.close(conversation.id)
      world.clock.setTimer(() => this.accept(conversation), conversation.accepted)
    }
  }

  /** The user of the two who has, or may have, blocked the other. */
  blocker(conversation: string): string | undefined {
    return this.blocked.get(conversation)
  }

  block({ id, members }: ConversationPlan): boolean {
    if (this.blocked.has(id) || this.insisting.has(id) || this.world.wire.closed.has(id)) return false
    const user = this.world.random.pick(members)
    this.blocked.set(id, user)
    const server = this.world.server(this.world.random)
    const { run } = server
    let answered = false
    // What a dead process had not written by its end never will be.
    this.answered.set(id, () => answered || server.run !== run)
    void server
      .request(`${user} blocks ${id}`, (friendships) => friendships.block(user, id))
      .then((done) => {
        answered = true
        if (done && this.blocked.get(id) === user) this.world.wire.close(id, run?.process)
      })
    return true
  }

  /** Takes a block back, as often as it takes. */
  unblock(id: string): void {
    const user = this.blocked.get(id)
    if (user === undefined) return
    this.blocked.delete(id)
    this.world.wire.closed.delete(id)
    const answered = this.answered.get(id)
    const gone = () => answered?.() && this.rowsOf(id).every((row) => !row?.blockedBy.includes(user))
    this.insisting.add(id)
    this.insist(
      gone,
      () => this.insisting.delete(id),
      `${user} unblocks ${id}`,
      (friendships) => friendships.unblock(user, id),
    )
  }

  unblockAll(): void {
    for (const id of [...this.blocked.keys()]) this.unblock(id)
  }

  /** As they are written, and as they would be after a crash: an answer that changed nothing waits for neither. */
  private rowsOf(id: string) {
    const { written, stable } = this.world.journal
    return [written.rows.get(id), stable.rows.get(id)]
  }

  private accept({ id, members }: ConversationPlan): void {
    this.world.wire.closed.delete(id)
    this.world.hit('friendship accepted')
    const accepted = () => this.rowsOf(id).every((row) => row?.state === 'accepted')
    this.insist(
      accepted,
      () => {},
      `${members[1]} accepts ${id}`,
      (friendships) => friendships.accept(members[1], id),
    )
  }

  /**
   * A server that dies never answers, so the next try does not wait for this one. Nor does an answer settle it alone: a
   * block that is still on its way into the journal comes after it, and so may an earlier try, after the next block.
   */
  private insist(
    settled: () => boolean | undefined,
    over: () => void,
    ...request: Parameters<ServerHost['request']>
  ): void {
    /** Of each try without an answer, whether its server is dead. */
    const open = new Set<() => boolean>()
    let done = false
    const again = () => {
      if (done && [...open].every((dead) => dead())) {
        over()
        return
      }
      this.world.clock.setTimer(again, RETRY_MS)
      if (done) return
      const server = this.world.server(this.world.random)
      const { run } = server
      const dead = () => server.run !== run
      open.add(dead)
      void server.request(...request).then((answer) => {
        open.delete(dead)
        done ||= answer && settled() === true
      })
    }
    again()
  }
}
