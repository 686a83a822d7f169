/** Web Locks of one origin, as far as a client uses them: exclusive, in the order of the requests. */
export class FakeLocks {
  private readonly held = new Map<string, Promise<unknown>>()

  async request(name: string, { signal }: { signal: AbortSignal }, run: () => Promise<unknown>): Promise<unknown> {
    const before = this.held.get(name) ?? Promise.resolve()
    const turn = before.then(() => {
      if (signal.aborted) throw signal.reason
      return run()
    })
    this.held.set(
      name,
      turn.catch(() => {}),
    )
    return turn
  }
}
