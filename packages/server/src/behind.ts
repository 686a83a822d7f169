import { type Behind as BehindFrame, PROTOCOL_LIMITS } from '@kithwire/protocol'
import type { Context } from './context.js'
import { readHeads } from './heads.js'
import type { DevicePeer } from './session-registry.js'
import type { WheelTimer } from './timer-wheel.js'

const RETRY_MS = 1_000
const NONE: ReadonlySet<string> = new Set()

/** The session as it is told what it missed. */
export interface BehindOwner extends DevicePeer {
  /** Whether the socket takes frames now. */
  readonly takesFrames: boolean
  send(frame: BehindFrame): void
  failure(event: string, cause: unknown): void
}

/** The conversations of which one session has missed pushes, until `behind` has told the device to pull them. */
export class Behind {
  private missed: Set<string> | undefined
  /** Conversations that the device was told of; only where they can be opened without this server's knowing it. */
  private readonly known: Set<string> | undefined
  /** Whose heads are being read. */
  private telling: ReadonlySet<string> = NONE
  private retry: WheelTimer | undefined
  private stopped = false

  constructor(
    private readonly context: Context,
    private readonly session: BehindOwner,
  ) {
    this.known = context.link && new Set()
  }

  get size(): number {
    return this.missed?.size ?? 0
  }

  add(conversation: string): void {
    // Made when it is needed: most sockets never miss anything, and there are many of them.
    this.missed ??= new Set()
    this.missed.add(conversation)
  }

  unaware(conversation: string): boolean {
    return this.known?.has(conversation) === false
  }

  introduce(conversation: string, known: boolean): void {
    if (known) this.known?.add(conversation)
    else this.known?.delete(conversation)
  }

  /**
   * Something new in a conversation: true if the device hears of it by a `behind` that is on its way. A device takes
   * nothing of a conversation before its head, and a head that is being read may be older, so it is read again.
   */
  covers(conversation: string): boolean {
    if (this.telling.has(conversation)) this.add(conversation)
    else if (this.unaware(conversation)) {
      this.add(conversation)
      this.flush()
    }
    return this.missed?.has(conversation) === true || this.telling.has(conversation)
  }

  /** Tells what was missed, if the socket takes it; else call again when it does. */
  flush(): void {
    const { missed } = this
    if (this.telling.size > 0 || this.retry !== undefined || !missed?.size || !this.session.takesFrames) return
    const part = new Set([...missed].slice(0, PROTOCOL_LIMITS.heads))
    for (const conversation of part) missed.delete(conversation)
    this.telling = part
    readHeads(this.context, this.session.user, { only: part, knows: () => true })
      .then((heads) => {
        this.context.fanOut.met(heads, this.session)
        if (heads.length > 0) this.session.send({ t: 'behind', heads: heads.map(({ tuple }) => tuple) })
      })
      .catch((cause) => {
        if (this.stopped) return
        this.session.failure('behind_failed', cause)
        for (const conversation of part) this.add(conversation)
        this.retry = this.context.wheel.set(() => {
          this.retry = undefined
          this.flush()
        }, RETRY_MS)
      })
      .finally(() => {
        this.telling = NONE
        this.flush()
      })
  }

  stop(): void {
    this.stopped = true
    this.missed = undefined
    this.context.wheel.clear(this.retry)
    this.retry = undefined
  }
}
