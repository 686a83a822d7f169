import type { Context, Identity } from './context.js'
import type { WheelTimer } from './timer-wheel.js'

/** At least so often the wall clock is looked at, which may jump. */
const LOOK_MS = 60_000

export interface CredentialEvents {
  /** They have expired; new ones are waited for. */
  expired(): void
  /** None came. */
  end(): void
}

/** The credentials of one socket and their end. */
export class Credentials {
  private timer: WheelTimer | undefined
  /** The latest identity that can check a token; the app need not give each one the means again. */
  private checker: Identity

  constructor(
    private readonly context: Pick<Context, 'runtime' | 'wheel' | 'limits'>,
    private current: Identity,
    private readonly events: CredentialEvents,
  ) {
    this.checker = current
    this.watch()
  }

  get expired(): boolean {
    const { expires } = this.current
    return expires !== undefined && expires <= this.context.runtime.now()
  }

  get address(): string | undefined {
    return this.current.address ?? this.checker.address
  }

  /** Whether tokens can be checked at all. */
  get renewable(): boolean {
    return this.checker.reauthenticate !== undefined
  }

  /** Who a token belongs to; null if nobody. Rejects as the app does. */
  async check(token: string): Promise<Identity | null> {
    return (await this.checker.reauthenticate?.(token)) ?? null
  }

  renew(identity: Identity): void {
    this.current = identity
    if (identity.reauthenticate !== undefined) this.checker = identity
    this.stop()
    this.watch()
  }

  stop(): void {
    this.context.wheel.clear(this.timer)
    this.timer = undefined
  }

  private watch(): void {
    const { expires } = this.current
    if (expires === undefined) return
    const { runtime, wheel, limits } = this.context
    const left = expires - runtime.now()
    if (left > 0) {
      this.timer = wheel.set(() => this.watch(), Math.min(left, LOOK_MS))
      return
    }
    this.timer = wheel.set(() => this.events.end(), limits.authMs)
    this.events.expired()
  }
}
