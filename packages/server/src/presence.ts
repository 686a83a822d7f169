import type { Signal } from '@kithwire/protocol'
import type { Context } from './context.js'
import type { OwnHead } from './heads.js'
import type { LogThrottle } from './log.js'
import type { WheelTimer } from './timer-wheel.js'

/** Ms for which other nodes may say that a user is there, before this one tells that the user has gone. */
const ANSWER_MS = 1_000
/** With a bus the user's own channel is open for 10 s after the last socket, and answers come by it. */
const MOST_GRACE_MS = 8_000
/** Ms until devices have been told of a conversation that was opened. */
const OPENED_MS = 1_000
/** Friends of one user on other nodes who are told, at most. */
const MOST_REMOTE = 500

type Conversations = readonly Pick<OwnHead, 'tuple' | 'members'>[]

/** The session of a device as far as it can be told who is there. */
interface Watcher {
  readonly user: string
  readonly live: boolean
  readonly outbound: { whenClear(): Promise<void> }
  send(frame: Signal): void
}

/**
 * Who is online, told to friends who are online too: nothing is stored, and nothing is owed. A user is while any socket
 * lives, and for a moment longer, so that a reload does not flicker. What is told of other nodes comes by the bus.
 */
export class Presence {
  /** Users with sockets here, or who had some until a moment ago: then with the timer that ends it. */
  private readonly present = new Map<string, WheelTimer | undefined>()
  private readonly timers = new Set<WheelTimer>()
  private readonly throttle: LogThrottle = {}
  private closed = false

  constructor(private readonly context: Context) {}

  get size(): number {
    return this.present.size + this.timers.size
  }

  /** A socket of the user takes pushes. */
  entered(user: string): void {
    this.context.wheel.clear(this.present.get(user))
    // Told once it is known to whom.
    if (this.present.has(user)) this.present.set(user, undefined)
  }

  /**
   * A device was welcomed, with these conversations. Rejects as the app's own functions do.
   *
   * @param generation of what is remembered of members, from before the conversations were read
   */
  async welcomed(session: Watcher, heads: Conversations, generation: number): Promise<void> {
    const { authorizer, privacy, link, registry } = this.context
    const { user } = session
    const first = !this.present.has(user)
    this.present.set(user, undefined)
    if (registry.receiversOf(user).length === 0) this.left(user)
    if (!(await privacy.shows('presence', user))) return
    let remote = MOST_REMOTE
    for (const { tuple, members } of heads) {
      const others = members.filter((other) => other !== user)
      const here = others.filter((other) => this.present.has(other))
      // Just read, unless they changed since: no need to ask again for each of them.
      if (here.length > 0) authorizer.learn(tuple[0], members, generation)
      if (first && here.length > 0) await this.tell(tuple[0], user, true)
      if (link && remote > 0) {
        remote -= others.length
        link.publish(others, { kind: 'signal', signal: signalOf(tuple[0], user, true), ask: true })
      }
      for (const other of here) await this.show(session, tuple[0], other)
    }
  }

  /** The last socket of a user has gone. */
  left(user: string): void {
    if (this.closed || !this.present.has(user)) return
    const { limits, link, wheel } = this.context
    const grace = link ? Math.min(limits.presenceMs, MOST_GRACE_MS) : limits.presenceMs
    wheel.clear(this.present.get(user))
    const last = () => this.gone(user).catch((cause) => this.failed(cause))
    const ask = () => {
      if (!link) return last()
      link.publish([user], { kind: 'still', user })
      this.present.set(
        user,
        wheel.set(() => void last(), ANSWER_MS),
      )
    }
    this.present.set(
      user,
      wheel.set(() => void ask(), grace),
    )
  }

  /** Another node asks whether the user is here, or says so of itself. */
  asked(user: string): void {
    const { link, registry } = this.context
    if (registry.receiversOf(user).length > 0) link?.publish([user], { kind: 'here', user })
  }

  /** The user is at another node: nobody need hear that the last socket here has gone. */
  elsewhere(user: string): void {
    if (this.context.registry.receiversOf(user).length > 0) return
    this.context.wheel.clear(this.present.get(user))
    this.present.delete(user)
  }

  /** A friend at another node has come or gone. With `ask`, who says that they are there asks thereby who else is. */
  heard(signal: Required<Signal>, user: string, ask: boolean): void {
    const { fanOut, link, privacy } = this.context
    const answers = ask && this.present.has(user)
    privacy
      .shows('presence', user)
      .then((shown) => {
        if (!shown) return
        fanOut.hintedSignal(signal, user)
        if (answers) link?.publish([signal.user], { kind: 'signal', signal: signalOf(signal.conversation, user, true) })
      })
      .catch((cause) => this.failed(cause))
  }

  /** What the user lets others see has changed. */
  async privacyChanged(user: string): Promise<void> {
    const { fanOut, friendships, privacy } = this.context
    if (!this.present.has(user)) return
    const shown = await privacy.shows('presence', user)
    for (const { conversation, members } of await friendships.of(user)) {
      if (shown) await this.tell(conversation, user, true, true)
      else fanOut.signal(signalOf(conversation, user, false), members, true)
      for (const other of members) {
        const seen = shown && this.present.has(other) && (await privacy.shows('presence', other))
        if (other !== user) fanOut.toUser(signalOf(conversation, other, seen), user)
      }
    }
  }

  /** The members of a conversation changed: these sockets see its members now, or do not see them any more. */
  changed(conversation: string, users: readonly string[]): void {
    const { authorizer, hot, wheel } = this.context
    if (this.closed || !users.some((user) => this.present.has(user))) return
    const before = new Set([...users, ...hot.membersOf(conversation)])
    const timer = wheel.set(() => {
      this.timers.delete(timer)
      authorizer
        .members(conversation)
        .then((members) => this.reveal(conversation, users, [...before], members))
        .catch((cause) => this.failed(cause))
    }, OPENED_MS)
    this.timers.add(timer)
  }

  close(): void {
    this.closed = true
    for (const timer of [...this.present.values(), ...this.timers]) this.context.wheel.clear(timer)
    this.present.clear()
    this.timers.clear()
  }

  private async reveal(
    conversation: string,
    users: readonly string[],
    before: readonly string[],
    members: readonly string[] | null,
  ): Promise<void> {
    const { fanOut } = this.context
    for (const user of users.filter((each) => this.present.has(each))) {
      if (members?.includes(user)) await this.tell(conversation, user, true, true)
      // That somebody is not there tells nothing, and who was shown as there must not stay so.
      else for (const other of before) if (other !== user) fanOut.toUser(signalOf(conversation, other, false), user)
    }
  }

  private async gone(user: string): Promise<void> {
    this.present.delete(user)
    if (this.closed) return
    const { friendships, privacy } = this.context
    if (!(await privacy.shows('presence', user))) return
    let remote = MOST_REMOTE
    for (const { conversation, members } of await friendships.of(user)) {
      if (this.present.has(user)) return
      await this.tell(conversation, user, false, remote > 0)
      remote -= members.length
    }
  }

  /** To the members who may see it. */
  private async tell(conversation: string, user: string, value: boolean, far = false): Promise<void> {
    const { authorizer, fanOut, privacy } = this.context
    const members = await authorizer.members(conversation)
    if (!members?.includes(user) || !(await privacy.shows('presence', user))) return
    const shown = await privacy.among('presence', members)
    fanOut.signal(signalOf(conversation, user, value), [...shown], far)
  }

  /** What a device is told of one who is there already. */
  private async show(session: Watcher, conversation: string, other: string): Promise<void> {
    const { authorizer, privacy } = this.context
    if (!(await privacy.shows('presence', other))) return
    await session.outbound.whenClear()
    const { members } = await authorizer.check(conversation, session.user)
    if (members?.includes(other) && this.present.has(other) && session.live)
      session.send(signalOf(conversation, other, true))
  }

  private failed(cause: unknown): void {
    this.context.log.failure('presence_failed', cause, {}, this.throttle)
  }
}

const signalOf = (conversation: string, user: string, value: boolean): Required<Signal> => {
  return { t: 'signal', conversation, user, kind: 'presence', value }
}
