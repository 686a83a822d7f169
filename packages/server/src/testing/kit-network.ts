import type { SocketLike } from '@kithwire/protocol'
import { type FakeClock, type PairedSocket, socketPair } from '@kithwire/protocol/testing'

/** Ms until a connection that nobody takes is refused. */
const REFUSED_MS = 20

interface Wire {
  client: PairedSocket
  server: PairedSocket
}

/** The way of one client to the server, and what may be wrong with it. */
export class KitLine {
  /** `down`: connections end at once and new ones are refused. `silent`: nothing arrives, and nobody is told. */
  state: 'up' | 'down' | 'silent' = 'up'
  private readonly wires = new Set<Wire>()

  constructor(
    private readonly clock: FakeClock,
    private readonly latencyMs: number,
    /** Takes the server's end; undefined while there is no server. */
    private readonly server: () => ((socket: SocketLike) => void) | undefined,
  ) {}

  /** Opens a socket, as a client's `socket` option does. */
  readonly socket = (_url: string, protocols: readonly string[]): SocketLike => {
    const accept = this.server()
    if (this.state === 'down' || (!accept && this.state === 'up')) return refusing(this.clock)
    const latency = this.latencyMs / 2
    const [client, server] = socketPair(this.clock, { protocol: protocols[0] ?? '', latency: () => latency })
    const wire = { client, server }
    this.wires.add(wire)
    if (this.state === 'silent') client.cut()
    else accept?.(server)
    return client
  }

  /** Ends what is open, as a lost network does: both sides see it. */
  drop(): void {
    for (const wire of this.wires) this.end(wire)
  }

  /** Takes the cable away: neither side sees anything. */
  silence(): void {
    this.state = 'silent'
    for (const { client } of this.wires) client.cut()
  }

  /** Nothing arrives at the client while it sleeps. */
  hold(held: boolean): void {
    for (const { client } of this.wires) client.stalled = held
  }

  private end(wire: Wire): void {
    this.wires.delete(wire)
    wire.server.terminate()
    wire.client.terminate()
  }
}

/** A socket that nobody takes: most of a long outage is made of these. */
function refusing(clock: FakeClock): SocketLike {
  let closed: ((code: number, reason: string) => void) | undefined
  const end = () => {
    const last = closed
    closed = undefined
    last?.(1006, '')
  }
  clock.setTimer(end, REFUSED_MS)
  return {
    protocol: '',
    bufferedAmount: 0,
    listen: ({ close }) => {
      closed = close
    },
    send: () => {},
    close: end,
    terminate: end,
  }
}
