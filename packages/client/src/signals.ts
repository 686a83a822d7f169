import type { Runtime, Signal, Timer } from '@kithwire/protocol'
import type { ClientStore, PassingChange } from './client-store.js'
import type { Emit } from './events.js'
import type { Link } from './link.js'

/** Ms between two signals that somebody is still typing, and until one of them counts no more. */
const REPEAT = 3_000
const EXPIRES = 6_000
/** Ms for which who was there counts as there: without a connection, and until a new one has said so again. */
const UNSURE = 10_000
const CONFIRM = 5_000

type Told = Extract<PassingChange, { kind: 'signal' }>

/** Who is typing, and who is there. The client that has the connection tells the others over the store. */
export class Signals {
  private link: Link | undefined
  private readonly typists = new Map<string, Timer>()
  /** Who is there, by conversation. */
  private readonly online = new Map<string, Set<string>>()
  /** Those of them whom this connection has named, and all others since. */
  private readonly confirmed = new Set<string>()
  private readonly said = new Map<string, number>()
  private timer: Timer

  constructor(
    private readonly store: ClientStore,
    private readonly runtime: Runtime,
    private readonly emit: Emit,
  ) {}

  /** Asks the other clients of the store who is there. */
  ask(): void {
    this.store.tell({ kind: 'who' })
  }

  /** Whether a user, or anybody else in a conversation, is there. */
  present(id: string): boolean {
    if (this.online.has(id)) return true
    return [...this.online.values()].some((users) => users.has(id))
  }

  /** Whether the others are to be told that this user types, or does not any more. */
  news(conversation: string, on: boolean): boolean {
    const now = this.runtime.monotonic()
    const last = this.said.get(conversation)
    if (on ? last !== undefined && now < last + REPEAT : last === undefined) return false
    if (on) this.said.set(conversation, now)
    else this.said.delete(conversation)
    return true
  }

  welcome(link: Link): void {
    this.link = link
    this.doubt(CONFIRM)
  }

  detach(): void {
    if (this.link) this.doubt(UNSURE)
    this.link = undefined
  }

  /** A signal of the server. */
  take({ conversation, user, kind, value }: Signal): void {
    if (user !== undefined) this.store.tell({ kind: 'signal', conversation, user, of: kind, value })
  }

  /** Another client of the store asks who is there. */
  answer(): void {
    if (!this.link) return
    for (const [conversation, users] of this.online)
      for (const user of users) this.store.tell({ kind: 'signal', conversation, user, of: 'presence', value: true })
  }

  /** A message of somebody has come: it is what they typed. */
  wrote(conversation: string, user: string): void {
    this.typed(conversation, user, false)
  }

  close(): void {
    this.detach()
    this.runtime.clearTimer(this.timer)
    for (const timer of this.typists.values()) this.runtime.clearTimer(timer)
    this.typists.clear()
  }

  /** What the client that has the connection tells. */
  hear({ conversation, user, of: kind, value }: Told): void {
    if (kind === 'typing') {
      this.typed(conversation, user, value)
      this.emit('signal', { conversation, user, kind, value })
      return
    }
    this.confirmed.add(`${conversation} ${user}`)
    const users = this.online.get(conversation) ?? new Set()
    const before = this.present(user)
    if (value) this.online.set(conversation, users.add(user))
    else if (users.delete(user) && users.size === 0) this.online.delete(conversation)
    if (this.present(user) === before) return
    this.emit('signal', { conversation, user, kind, value })
    this.emit('presence', { user, online: value })
  }

  private typed(conversation: string, user: string, on: boolean): void {
    const key = `${conversation} ${user}`
    const before = this.typists.has(key)
    this.runtime.clearTimer(this.typists.get(key))
    this.typists.delete(key)
    // Whoever has stopped need not say so: their device may be gone.
    if (on)
      this.typists.set(
        key,
        this.runtime.setTimer(() => this.typed(conversation, user, false), EXPIRES),
      )
    if (on !== before) this.emit('typing', { conversation, user, on })
  }

  /** Who was there must be named again within so many ms. */
  private doubt(ms: number): void {
    this.confirmed.clear()
    this.runtime.clearTimer(this.timer)
    if (this.online.size === 0) return
    this.timer = this.runtime.setTimer(() => {
      for (const [conversation, users] of this.online)
        for (const user of [...users])
          if (!this.confirmed.has(`${conversation} ${user}`))
            this.store.tell({ kind: 'signal', conversation, user, of: 'presence', value: false })
    }, ms)
  }
}
