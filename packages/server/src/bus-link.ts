import { newId } from '@kithwire/protocol'
import type { Bus } from './bus.js'
import type { Context } from './context.js'
import { decodeHint, encodeHint, type Hint } from './hint.js'
import type { LogThrottle } from './log.js'
import type { WheelTimer } from './timer-wheel.js'

/** Ms for which a hello waits until its subscription is confirmed; a silent bus must not keep anybody out. */
const CONFIRM_MS = 2_000
/** Ms after a user's last socket until its subscription ends: most come back at once. */
const LINGER_MS = 10_000
/** Ms over which nodes look after what they missed while the bus was away. */
const SPREAD_MS = 10_000

interface Subscription {
  /** Resolves once it is confirmed, or when that takes too long; undefined once it has. */
  waiting: Promise<void> | undefined
  linger: WheelTimer | undefined
}

/** What a server has to do with its bus: subscriptions of the users that are here, and hints in and out. */
export class BusLink {
  private readonly node: string
  private readonly subscriptions = new Map<string, Subscription>()
  private readonly throttle: LogThrottle = {}

  constructor(
    private readonly bus: Bus,
    private readonly context: Context,
  ) {
    this.node = newId(context.runtime)
    bus.listen({
      hint: (user, text) => this.heard(user, text),
      state: (up) => {
        context.log.write(up ? 'info' : 'warn', up ? 'bus_up' : 'bus_down')
        context.sweep.soon(up ? SPREAD_MS : 0)
      },
    })
  }

  /** Users that are subscribed to. */
  get size(): number {
    return this.subscriptions.size
  }

  get up(): boolean {
    return this.bus.up
  }

  /** A socket of this user takes pushes from now on. */
  entered(user: string): void {
    // Who comes back to an empty node finds it subscribed, and without anybody who looks.
    this.context.sweep.start()
    const known = this.subscriptions.get(user)
    if (known !== undefined) {
      this.context.wheel.clear(known.linger)
      known.linger = undefined
      return
    }
    const subscription: Subscription = { waiting: undefined, linger: undefined }
    this.subscriptions.set(user, subscription)
    subscription.waiting = this.subscribe(user, subscription)
  }

  /** The last socket of this user has stopped. */
  left(user: string): void {
    const subscription = this.subscriptions.get(user)
    if (subscription === undefined) return
    subscription.linger = this.context.wheel.set(() => this.end(user), LINGER_MS)
  }

  /** Resolves when hints for this user get here; undefined if they do already. Never rejects. */
  ready(user: string): Promise<void> | undefined {
    return this.subscriptions.get(user)?.waiting
  }

  /** To all nodes that have sockets of these users. */
  publish(users: readonly string[], hint: Hint): void {
    const text = encodeHint(this.node, hint)
    for (const user of users) {
      try {
        this.bus.publish(user, text)
      } catch (cause) {
        this.context.log.failure('publish_failed', cause, {}, this.throttle)
      }
    }
  }

  close(): void {
    for (const user of this.subscriptions.keys()) this.end(user)
    this.bus.listen(undefined)
  }

  private async subscribe(user: string, subscription: Subscription): Promise<void> {
    const { log, stats, sweep, wheel } = this.context
    let late = false
    let timer: WheelTimer | undefined
    const confirmed = (async () => this.bus.subscribe(user))().then(
      () => {
        // What was published before it was confirmed may have passed by.
        if (late && this.subscriptions.get(user) === subscription) sweep.soon(SPREAD_MS)
      },
      (cause) => {
        log.failure('subscribe_failed', cause, {}, this.throttle)
        if (this.subscriptions.get(user) === subscription) this.subscriptions.delete(user)
      },
    )
    const tooLong = new Promise<void>((resolve) => {
      timer = wheel.set(
        () => {
          late = true
          stats.add('bus_slow')
          resolve()
        },
        this.bus.up ? CONFIRM_MS : 0,
      )
    })
    await Promise.race([confirmed, tooLong])
    wheel.clear(timer)
    subscription.waiting = undefined
  }

  private end(user: string): void {
    this.context.wheel.clear(this.subscriptions.get(user)?.linger)
    this.subscriptions.delete(user)
    this.bus.unsubscribe(user)
  }

  private heard(user: string, text: string): void {
    const { log, stats } = this.context
    const read = decodeHint(text)
    if (read === undefined) stats.add('hints_bad')
    if (read === undefined || read.node === this.node || !this.subscriptions.has(user)) return
    try {
      this.take(user, read.hint)
    } catch (cause) {
      log.failure('hint_failed', cause, {}, this.throttle)
    }
  }

  private take(user: string, hint: Hint): void {
    const { authorizer, fanOut, presence, queue, registry } = this.context
    switch (hint.kind) {
      case 'entries':
        fanOut.hinted(hint, user)
        return
      case 'cursor':
        fanOut.hintedCursor(hint.cursor, user)
        return
      case 'own':
        fanOut.hintedOwnCursor(hint.cursor)
        return
      case 'signal':
        if (hint.signal.kind === 'typing') fanOut.hintedSignal(hint.signal, user)
        else presence.heard(hint.signal, user, hint.ask === true)
        return
      case 'still':
        presence.asked(user)
        return
      case 'here':
        presence.elsewhere(user)
        return
      case 'members':
        authorizer.invalidate(hint.conversation)
        void queue.recall(hint.conversation).then(() => fanOut.behind(hint.conversation, [user]))
        presence.changed(hint.conversation, [user])
        return
      case 'device': {
        const { device, attempt } = hint
        const later = registry.replace(user, device, attempt)
        if (later > attempt) this.publish([user], { kind: 'device', device, attempt: later })
        return
      }
      case 'revoke':
        registry.revoke(user, hint.code)
    }
  }
}
