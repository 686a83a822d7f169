import { type Behind as BehindFrame, PROTOCOL_LIMITS } from '@kithwire/protocol'
import type { Context } from './context.js'
import { readHeads } from './heads.js'
import type { DevicePeer } from './session-registry.js'
import type { WheelTimer } from './timer-wheel.js'

const RETRY_MS = 1_000

/** The conversations of which one session has missed pushes, until `behind` has told the device to pull them. */
export class Behind {
  private missed = new Set<string>()
  private telling = false
  private retry: WheelTimer | undefined
  private stopped = false

  constructor(
    private readonly context: Context,
    private readonly session: DevicePeer,
    /** Whether the socket takes frames now. */
    private readonly able: () => boolean,
    private readonly send: (frame: BehindFrame) => void,
    private readonly failed: (cause: unknown) => void,
  ) {}

  get size(): number {
    return this.missed.size
  }

  add(conversation: string): void {
    this.missed.add(conversation)
  }

  /** Tells what was missed, if the socket takes it; else call again when it does. */
  flush(): void {
    if (this.telling || this.retry !== undefined || this.missed.size === 0 || !this.able()) return
    this.telling = true
    const part = new Set([...this.missed].slice(0, PROTOCOL_LIMITS.heads))
    for (const conversation of part) this.missed.delete(conversation)
    readHeads(this.context, this.session.user, part)
      .then((heads) => {
        this.context.fanOut.met(heads, this.session)
        if (heads.length > 0) this.send({ t: 'behind', heads: heads.map(({ tuple }) => tuple) })
      })
      .catch((cause) => {
        if (this.stopped) return
        this.failed(cause)
        for (const conversation of part) this.missed.add(conversation)
        this.retry = this.context.wheel.set(() => {
          this.retry = undefined
          this.flush()
        }, RETRY_MS)
      })
      .finally(() => {
        this.telling = false
        this.flush()
      })
  }

  stop(): void {
    this.stopped = true
    this.missed.clear()
    this.context.wheel.clear(this.retry)
    this.retry = undefined
  }
}
