import type { SocketFactory, SocketLike } from '@kithwire/protocol'
import type { FakeClock, SeededRandom } from '@kithwire/protocol/testing'
import { Link } from './link.js'
import type { Process } from './process.js'

/** What an observer of the wire is told. `sent` and `received` name the direction seen from the server. */
export interface Wiretap {
  opened(link: Link): void
  /** The client handed a frame to its socket. */
  clientSent(link: Link, text: string): void
  /** The server handed a frame to its socket. */
  serverSent(link: Link, text: string): void
  /** A frame of the server reached its client. */
  clientGot(link: Link, text: string): void
  /** The server was told that the connection has ended, or its end ended it. */
  serverClosed(link: Link, code: number): void
  clientClosed(link: Link, code: number): void
}

/** A server process that takes connections. */
export interface Listener {
  process: Process
  accept(socket: SocketLike, link: Link): void
}

const SUBPROTOCOL = 'kithwire.v1'

/** All connections of a simulated world. Each goes to one of the listeners; without one, connecting is refused. */
export class Network {
  readonly links = new Set<Link>()
  readonly listeners: Listener[] = []
  /** Hosts that have no network at all now. */
  readonly offline = new Set<string>()
  /** Connections on which a ping of the server waits for its answer. */
  pinging = 0
  /** Bytes that the systems on the way take off a process's hands. */
  window = 32_768
  private made = 0

  constructor(
    readonly clock: FakeClock,
    readonly random: SeededRandom,
    readonly tap: Wiretap,
    /** The side that is of a later version. */
    readonly newer: 'server' | 'client' | 'nobody' = 'nobody',
  ) {}

  /** The socket factory of one client process on one host. */
  factory(process: Process, host: string): SocketFactory {
    return (url, protocols) => {
      const link = new Link(this, ++this.made, host, url, process, protocols.includes(SUBPROTOCOL) ? SUBPROTOCOL : '')
      this.links.add(link)
      process.onExit(() => link.processDied('client'))
      link.connect()
      return link.client
    }
  }

  /** The request of a new connection has arrived. */
  arrived(link: Link): void {
    const alive = this.listeners.filter(({ process }) => process.alive)
    const listener = alive.length > 1 ? this.random.pick(alive) : alive[0]
    if (listener === undefined) {
      link.refuse()
      return
    }
    const socket = link.accept(listener.process)
    listener.process.onExit(() => link.processDied('server'))
    this.tap.opened(link)
    listener.process.deliver(() => listener.accept(socket, link))
  }

  unlisten(listener: Listener): void {
    const place = this.listeners.indexOf(listener)
    if (place >= 0) this.listeners.splice(place, 1)
  }

  /** Takes the network of a host away: whatever it has is silently dead, and new connections go nowhere. */
  unplug(host: string): void {
    this.offline.add(host)
    for (const link of this.links) if (link.host === host) link.silence('both')
  }

  plug(host: string): void {
    this.offline.delete(host)
  }

  /** Ends every network fault: dead connections are reset, stalls and delays end. */
  heal(): void {
    this.offline.clear()
    for (const link of [...this.links]) link.heal()
  }

  /** The connections that a fault can hit. */
  open(host?: string): Link[] {
    return [...this.links].filter((link) => link.established && (host === undefined || link.host === host))
  }
}
