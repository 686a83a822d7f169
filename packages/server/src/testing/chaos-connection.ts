import type { Socket } from 'node:net'
import type { Runtime, Timer } from '@kithwire/protocol'

/**
 * How a connection ends: `close` sends FIN both ways, `reset` sends RST both ways, `half-open` lets nothing through
 * any more in either direction and tells nobody, as a dead mobile link does.
 */
export type CutMode = 'close' | 'reset' | 'half-open'

/** What is done to one direction of one connection. */
export interface Weather {
  /** Ms that each chunk waits; chunks never overtake each other. @default 0 */
  delayMs?: number
  /** At most so many ms more, by chance for each chunk. @default 0 */
  jitterMs?: number
  /** Bytes let through at a time, one piece each `dripMs`. @default everything that came */
  dripBytes?: number
  /** Ms between two pieces. @default 1 */
  dripMs?: number
  /**
   * Ends the connection as soon as this many bytes of this direction went through, counted from when this weather
   * began: exactly these, not one more. 0 ends it at once, or as soon as the server is reached.
   * @default never
   */
  cutAt?: number
  /** How it ends. @default 'reset' */
  cutMode?: CutMode
}

/** The weather of both directions. */
export interface ChaosWeather {
  toServer?: Weather
  toClient?: Weather
}

/** One connection through a chaos proxy. */
export interface ChaosConnection {
  /** 0 for the first one that the proxy had. */
  readonly number: number
  /** `half-open`: it was cut so, and at least one side has not noticed. */
  readonly state: 'open' | 'half-open' | 'closed'
  /** Bytes that went through. */
  readonly bytes: { readonly toServer: number; readonly toClient: number }
  /** Resolves once nothing goes through any more, for whatever reason. */
  readonly over: Promise<void>
  /** Changes the weather from here on. A direction that is not named gets none. */
  weather(weather: ChaosWeather): void
  /** Ends it. @param mode 'reset' by default */
  cut(mode?: CutMode): void
}

/** Bytes that may wait for a reader before the proxy stops reading on its behalf, so that the sender feels it. */
const HIGH_WATER = 65_536

/** Two sockets that live and die together, until they are half-open. */
export class Link implements ChaosConnection {
  readonly bytes = { toServer: 0, toClient: 0 }
  readonly over: Promise<void>
  state: 'open' | 'half-open' | 'closed' = 'open'
  private readonly sockets: readonly [client: Socket, upstream: Socket]
  private readonly lanes: readonly [toServer: Lane, toClient: Lane]
  private ended!: () => void

  constructor(
    readonly number: number,
    client: Socket,
    upstream: Socket,
    runtime: Runtime,
    private readonly hooks: { count(direction: 'toServer' | 'toClient', bytes: number): void; gone(): void },
  ) {
    this.sockets = [client, upstream]
    this.over = new Promise((resolve) => {
      this.ended = resolve
    })
    this.lanes = [
      new Lane(this, client, upstream, runtime, (bytes) => this.count('toServer', bytes)),
      new Lane(this, upstream, client, runtime, (bytes) => this.count('toClient', bytes)),
    ]
    for (const socket of this.sockets) {
      socket.setNoDelay(true)
      // A peer that is gone is what this proxy is for; its `close` follows.
      socket.on('error', () => {})
      socket.on('close', (failed) => this.closed(failed))
    }
  }

  weather({ toServer = {}, toClient = {} }: ChaosWeather): void {
    this.lanes[0].weather(toServer)
    this.lanes[1].weather(toClient)
    if (toServer.cutAt !== 0 && toClient.cutAt !== 0) return
    const mode = (toServer.cutAt === 0 ? toServer : toClient).cutMode
    if (this.sockets[1].connecting) this.sockets[1].once('connect', () => this.cut(mode))
    else this.cut(mode)
  }

  cut(mode: CutMode = 'reset'): void {
    if (this.state === 'closed' || (this.state === 'half-open' && mode === 'half-open')) return
    this.state = mode === 'half-open' ? 'half-open' : 'closed'
    for (const lane of this.lanes) lane.stop()
    for (const socket of this.sockets) {
      // Read on and throw away, so that neither side notices by its buffers.
      if (mode === 'half-open') socket.resume()
      else if (mode === 'reset') socket.resetAndDestroy()
      else socket.resume().end()
    }
    this.ended()
  }

  /** Lets go of both sockets at once. */
  destroy(): void {
    for (const socket of this.sockets) socket.resetAndDestroy()
  }

  /** One of the two is gone. If it failed, so does the other, unless the link is dead; else what waits still arrives. */
  private closed(failed: boolean): void {
    if (failed && this.state === 'open') this.cut('reset')
    if (!this.sockets.every((socket) => socket.destroyed)) return
    this.state = 'closed'
    this.ended()
    this.hooks.gone()
  }

  private count(direction: 'toServer' | 'toClient', bytes: number): void {
    this.bytes[direction] += bytes
    this.hooks.count(direction, bytes)
  }
}

/** One direction: what came and waits, and when it may go on. */
class Lane {
  private delayMs = 0
  private jitterMs = 0
  private dripBytes = Number.POSITIVE_INFINITY
  private dripMs = 1
  private cutMode: CutMode = 'reset'
  /** Bytes until the cut. */
  private left = Number.POSITIVE_INFINITY
  private readonly waiting: { piece: Buffer; at: number }[] = []
  private size = 0
  private lastAt = 0
  private nextDrip = 0
  private timer: Timer | undefined
  private ended = false

  constructor(
    private readonly link: Link,
    private readonly from: Socket,
    private readonly to: Socket,
    private readonly runtime: Runtime,
    private readonly count: (bytes: number) => void,
  ) {
    from.on('data', (chunk: Buffer) => this.take(chunk))
    from.on('end', () => {
      this.ended = true
      // Over a dead link nobody hears of it.
      if (link.state === 'half-open') from.destroy()
      else this.pump()
    })
    to.on('drain', () => this.relax())
  }

  weather({ delayMs = 0, jitterMs = 0, dripBytes, dripMs = 1, cutAt, cutMode = 'reset' }: Weather): void {
    this.delayMs = delayMs
    this.jitterMs = jitterMs
    this.dripBytes = dripBytes ?? Number.POSITIVE_INFINITY
    this.dripMs = dripMs
    this.left = cutAt ?? Number.POSITIVE_INFINITY
    this.cutMode = cutMode
    this.nextDrip = 0
    this.pump()
  }

  stop(): void {
    this.runtime.clearTimer(this.timer)
    this.waiting.length = 0
  }

  private take(piece: Buffer): void {
    if (this.link.state !== 'open') return
    const wait = this.delayMs + (this.jitterMs > 0 ? this.runtime.random() * this.jitterMs : 0)
    this.lastAt = Math.max(this.lastAt, this.runtime.monotonic() + wait)
    this.waiting.push({ piece, at: this.lastAt })
    this.size += piece.length
    this.pump()
    if (this.size + this.to.writableLength > HIGH_WATER && this.link.state === 'open') this.from.pause()
  }

  /** Reads on once there is room. */
  private relax(): void {
    if (this.from.isPaused() && this.size + this.to.writableLength <= HIGH_WATER / 2) this.from.resume()
  }

  private pump(): void {
    this.runtime.clearTimer(this.timer)
    this.timer = undefined
    while (this.link.state === 'open' && this.left > 0) {
      const head = this.waiting[0]
      if (head === undefined) break
      const wait = Math.max(head.at, this.nextDrip) - this.runtime.monotonic()
      if (wait > 0) {
        this.timer = this.runtime.setTimer(() => this.pump(), wait)
        return
      }
      const piece = head.piece.subarray(0, Math.min(this.dripBytes, this.left))
      head.piece = head.piece.subarray(piece.length)
      if (head.piece.length === 0) this.waiting.shift()
      if (this.dripBytes !== Number.POSITIVE_INFINITY) this.nextDrip = this.runtime.monotonic() + this.dripMs
      this.write(piece)
    }
    if (this.ended && this.waiting.length === 0 && this.link.state === 'open') this.to.end()
  }

  private write(piece: Buffer): void {
    this.size -= piece.length
    this.left -= piece.length
    this.count(piece.length)
    const last = this.left === 0
    this.to.write(piece, () => {
      if (last) this.link.cut(this.cutMode)
      else this.relax()
    })
  }
}
