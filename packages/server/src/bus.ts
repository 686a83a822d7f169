/** What a server wants to hear of its bus. Neither function throws. */
export interface BusListener {
  /** Something was published to a user that this node has subscribed to. */
  hint(user: string, text: string): void
  /** The bus broke, or is back with every subscription confirmed anew. */
  state(up: boolean): void
}

/**
 * Carries hints between the servers of one store, by user: one node's end of it, used by one server. The log is the
 * truth, and a hint says "look": one that is lost, doubled or late costs latency, never data, so an adapter keeps, stores
 * and repeats nothing. It keeps these invariants, and `busConformance` in `@kithwire/server/testing` checks them:
 *
 * 1. Once `subscribe` has resolved, and while the bus is up, what any node publishes to that user arrives here.
 * 2. What was published before `subscribe` was called never arrives: a hint from before a restored backup would be wrong.
 * 3. Text arrives as it was, up to 256 KiB; only at those who subscribed to exactly that user, whatever the id contains.
 * 4. `publish` never throws, never waits and never calls a listener before it has returned.
 * 5. After `unsubscribe` has returned nothing arrives for that user until the next `subscribe`.
 * 6. `subscribe` may be called while the bus is down, and resolves once it is confirmed; `unsubscribe` may leave it
 *    open for ever. A bus that comes back has renewed all subscriptions before it says so by `state(true)`.
 *
 * A node may hear what it published itself: hints say where they come from.
 */
export interface Bus {
  /** Whether hints get through, as far as is known. */
  readonly up: boolean
  /** Who hears of hints and of the state, instead of who did before; undefined: nobody. */
  listen(listener: BusListener | undefined): void
  publish(user: string, text: string): void
  subscribe(user: string): Promise<void>
  unsubscribe(user: string): void
}
