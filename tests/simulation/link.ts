import { End } from './end.js'
import type { Network } from './network.js'
import { Pipe } from './pipe.js'
import type { Process } from './process.js'

export type Direction = 'up' | 'down'

/** Ms that a connection which goes nowhere hangs before the operating system gives up. */
const CONNECT_TIMEOUT = 20_000

/** One connection: a client's end, a server's end once accepted, and a pipe in each direction. */
export class Link {
  readonly client: End
  server: End | undefined
  readonly up: Pipe
  readonly down: Pipe
  /** Ms that a frame takes, at least. */
  base: number
  /** The network has told both ends, or will; nothing travels any more. */
  broken = false
  /** Was silent or stalled at some time: whoever takes it for dead may be right. */
  troubled = false
  /** Since when nothing reaches the client any more, on the monotonic clock. */
  mute = Number.POSITIVE_INFINITY

  constructor(
    readonly network: Network,
    readonly id: number,
    readonly host: string,
    readonly url: string,
    process: Process,
    readonly protocol: string,
  ) {
    this.base = network.random.integer(1, 40)
    this.up = new Pipe(network, this, 'up')
    this.down = new Pipe(network, this, 'down')
    this.client = new End(process, this, 'client', this.up)
  }

  /** Accepted, and not known to either end as over. */
  get established(): boolean {
    return !this.broken && this.server !== undefined && this.client.live && this.server.live
  }

  connect(): void {
    const { clock, offline, random } = this.network
    if (offline.has(this.host)) {
      // Half of the operating systems know that they are offline; the others wait for an answer.
      if (random.chance(0.5)) clock.setTimer(() => this.refuse(), 1)
      else clock.setTimer(() => this.refuse(), CONNECT_TIMEOUT)
      return
    }
    clock.setTimer(
      () => {
        if (this.client.live && !this.broken) this.network.arrived(this)
      },
      this.base * 2 + random.integer(0, 20),
    )
  }

  refuse(): void {
    if (this.broken || this.server !== undefined) return
    this.broken = true
    this.client.lost()
    this.forget()
  }

  accept(process: Process): End {
    this.server = new End(process, this, 'server', this.down)
    this.server.opened()
    this.down.push({ kind: 'open', text: '', code: 0, bytes: 1 })
    return this.server
  }

  pipe(direction: Direction): Pipe {
    return direction === 'up' ? this.up : this.down
  }

  /** The connection is gone for both ends. Of what is under way, the first `keep` frames of each direction arrive. */
  break(keep = 0): void {
    if (this.broken) return
    this.up.flush(keep)
    this.down.flush(keep)
    this.broken = true
    this.up.close()
    this.down.close()
    const { clock, random } = this.network
    for (const end of [this.client, this.server])
      if (end !== undefined) clock.setTimer(() => end.lost(), random.integer(0, this.base))
    this.forget()
  }

  /** The next frame in this direction is only half written when the connection goes. */
  cutNext(direction: Direction): void {
    this.pipe(direction).cutting = true
  }

  /** Nothing arrives any more in one or both directions, and nobody is told. */
  silence(which: Direction | 'both'): void {
    this.troubled = true
    if (which !== 'down') this.up.dead = true
    if (which !== 'up') this.down.dead = true
    if (which !== 'up') this.mute = Math.min(this.mute, this.network.clock.monotonic())
  }

  heal(): void {
    if (this.up.dead || this.down.dead) this.break()
    this.up.restore()
    this.down.restore()
  }

  /** A process is gone: its system sends what was handed over, then ends the connection; or resets it at once. */
  processDied(side: 'client' | 'server'): void {
    const own = side === 'client' ? this.client : this.server
    const peer = side === 'client' ? this.server : this.client
    if (own === undefined || this.broken) return
    own.died()
    // The power went: nobody is left to say so.
    if (own.out.dead) return
    if (peer === undefined || this.network.random.chance(0.3)) this.break()
    else own.out.push({ kind: 'lost', text: '', code: 1006, bytes: 1 })
  }

  /** Called when an end is over; the link is kept until both are. */
  ended(): void {
    if (!this.client.live && (this.server === undefined || !this.server.live)) {
      this.broken = true
      this.up.close()
      this.down.close()
      this.forget()
    }
  }

  private forget(): void {
    this.network.links.delete(this)
  }
}
