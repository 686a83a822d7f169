import type { Bus, BusListener } from '../bus.js'

/**
 * A bus within one process, for several servers in it and for tests; each gets its own end by `connect()`. It is never
 * down and loses nothing. The reference of the contract.
 */
export class LocalBus {
  readonly #ends = new Set<LocalBusEnd>()

  connect(): Bus {
    return new LocalBusEnd(this.#ends)
  }
}

class LocalBusEnd implements Bus {
  readonly up = true
  #listener: BusListener | undefined
  /** Each subscription is an object of its own: what was on its way to an ended one stays away from the next one. */
  readonly #subscriptions = new Map<string, object>()

  constructor(private readonly ends: Set<LocalBusEnd>) {}

  listen(listener: BusListener | undefined): void {
    this.#listener = listener
    if (listener) this.ends.add(this)
    else this.ends.delete(this)
  }

  publish(user: string, text: string): void {
    // Who subscribes from now on must not get it.
    const receivers = [...this.ends].map((end) => end.#receiver(user)).filter((receive) => receive !== undefined)
    if (receivers.length === 0) return
    void Promise.resolve().then(() => {
      for (const receive of receivers) receive(text)
    })
  }

  async subscribe(user: string): Promise<void> {
    if (!this.#subscriptions.has(user)) this.#subscriptions.set(user, {})
  }

  unsubscribe(user: string): void {
    this.#subscriptions.delete(user)
  }

  #receiver(user: string): ((text: string) => void) | undefined {
    const subscription = this.#subscriptions.get(user)
    if (subscription === undefined) return undefined
    return (text) => {
      if (this.#subscriptions.get(user) === subscription) this.#listener?.hint(user, text)
    }
  }
}
