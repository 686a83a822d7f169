import { CLOSE_CODES, type SocketLike } from '@kithwire/protocol'
import type { Context } from './context.js'
import type { Credentials, CredentialsOwner } from './credentials.js'
import { farewell, isFault } from './farewell.js'
import { type Beating, Heartbeat } from './heartbeat.js'
import { Inbound } from './inbound.js'
import type { LogFields, LogLevel, LogThrottle } from './log.js'
import { Outbound, type OutboundOwner } from './outbound.js'
import type { Push } from './push.js'
import type { Peer } from './session-registry.js'
import type { SocketOwner } from './socket-events.js'
import type { WheelTimer } from './timer-wheel.js'

/**
 * What every socket has, whichever protocol it speaks: two sides, a heartbeat, credentials, and an end. Its parts call
 * methods of it instead of closures, and what most sockets never need is made when it is needed: there are many.
 */
export abstract class PeerSocket implements Peer, Beating, CredentialsOwner, OutboundOwner, SocketOwner {
  abstract readonly protocol: Peer['protocol']
  abstract readonly credentials: Credentials
  readonly inbound: Inbound
  readonly outbound: Outbound
  private readonly heartbeat: Heartbeat
  private linger: WheelTimer | undefined
  private throttled: LogThrottle | undefined

  constructor(
    protected readonly context: Context,
    protected readonly socket: SocketLike,
    readonly user: string,
  ) {
    this.inbound = new Inbound(socket, context, this)
    this.outbound = new Outbound(socket, context, this)
    this.heartbeat = new Heartbeat(this, context)
  }

  /** False from the moment that it was closed, by whichever side. */
  abstract get live(): boolean
  abstract close(code: number, reason: string): void
  abstract received(text: string | null): void
  abstract abuse(): void
  abstract overflow(): void
  abstract push(push: Push): void
  abstract missed(conversation: string): void
  abstract unaware(conversation: string): boolean
  abstract drain(spread: number): void
  /** It is not live any more: what it had is given back. */
  protected abstract letGo(): void
  /** The other side has ended it. */
  protected abstract left(code: number): void

  drained(): void {}
  credentialsExpired(): void {}

  credentialsEnded(): void {
    this.close(4001, 'the token expired')
  }

  ping(): void {
    this.socket.ping?.()
  }

  dead(): void {
    this.close(4003, 'no pong')
  }

  heard(): void {
    if (this.live) this.inbound.alive()
  }

  terminate(): void {
    this.socket.terminate()
  }

  /** Logs, at most once a minute for each event. */
  note(event: string, fields: LogFields = {}, level: LogLevel = 'warn'): void {
    const { address } = this.credentials
    this.context.log.write(level, event, { ...this.names, address, ...fields }, this.throttle)
  }

  /** Which socket a line of the log is about. */
  protected get names(): LogFields {
    return { user: this.user }
  }

  protected get throttle(): LogThrottle {
    this.throttled ??= {}
    return this.throttled
  }

  gone(code: number): void {
    const { registry, stats, wheel } = this.context
    if (this.live) {
      stats.add(Object.hasOwn(CLOSE_CODES, code) ? `left_${code}` : 'left_other')
      if (isFault(code)) this.note('left', { code })
      this.left(code)
      this.stop()
    }
    wheel.clear(this.linger)
    registry.remove(this)
  }

  /** Our side of the end: nothing comes in or goes out any more. */
  protected finish(code: number, reason: string): void {
    const { wheel, stats } = this.context
    this.stop()
    stats.add(`closed_${code}`)
    if (code !== 1000 && code !== 1012) this.note('closed', { code, reason })
    this.linger = farewell(this.socket, this.inbound, wheel, code, reason)
  }

  private stop(): void {
    this.heartbeat.stop()
    this.credentials.stop()
    this.context.registry.stopReceiving(this)
    this.letGo()
    this.outbound.stop()
  }
}
