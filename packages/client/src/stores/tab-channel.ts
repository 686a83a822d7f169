/** What tabs of one origin say to each other under one name; a message reaches all but the one who sent it. */
export class TabChannel {
  private readonly channel: BroadcastChannel

  constructor(
    private readonly name: string,
    hear: (message: unknown) => void,
  ) {
    this.channel = new BroadcastChannel(name)
    this.channel.onmessage = ({ data }) => hear(data)
  }

  post(message: unknown): void {
    this.channel.postMessage(message)
  }

  /**
   * Calls `granted` when this tab has the lock of the name, which the browser hands on when its holder ends, however it
   * ends. Where there are no locks, at once. The function it returns gives the lock up, or the wait for it.
   */
  lead(granted: () => void): () => void {
    const { locks } = globalThis.navigator ?? {}
    const give = new AbortController()
    let over = false
    const grant = () => {
      if (!over) granted()
    }
    // Not before the caller has the function that gives it up.
    if (!locks) queueMicrotask(grant)
    else
      locks
        .request(this.name, { signal: give.signal }, () => {
          grant()
          return new Promise<void>((resolve) => {
            if (over) resolve()
            else give.signal.addEventListener('abort', () => resolve())
          })
        })
        // Sandboxed pages have locks in name only.
        .catch(grant)
    return () => {
      over = true
      give.abort()
    }
  }

  close(): void {
    this.channel.close()
  }
}
