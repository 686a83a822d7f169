import type { SocketLike, SocketListener } from '@kithwire/protocol'
import type { Link } from './link.js'
import type { Packet, Pipe } from './pipe.js'
import type { Process } from './process.js'

/** Ms that a closing handshake may take before the socket is dropped, as in `ws` and in browsers. */
const CLOSE_TIMEOUT = 30_000

/** A frame that only a later version knows. */
const TOMORROW = '{"v":1,"t":"tomorrow","conversation":"ann-ben","news":[1,{"a":null}]}'

/** A frame as a later version might write it. */
const extended = (text: string) => `${text.slice(0, -1)},"later":{"a":[1,"x",null]}}`

type State = 'connecting' | 'open' | 'closing' | 'closed'

/** One end of a connection, as its process sees it: a SocketLike. */
export class End implements SocketLike {
  private state: State = 'connecting'
  private listener: SocketListener | undefined
  private paused = false
  private inbox: Packet[] = []
  private talked = false
  private pinged = false
  /** The code of our own close, reported once the handshake is through. */
  private closeCode = 1006

  constructor(
    readonly process: Process,
    private readonly link: Link,
    private readonly side: 'client' | 'server',
    readonly out: Pipe,
  ) {}

  get protocol(): string {
    return this.state === 'connecting' ? '' : this.link.protocol
  }

  get bufferedAmount(): number {
    return this.out.buffered
  }

  /** Not over yet for its process. */
  get live(): boolean {
    return this.state !== 'closed' && this.process.alive
  }

  /** Its process has done with it. */
  get leaving(): boolean {
    return this.state === 'closing'
  }

  listen(listener: SocketListener): void {
    this.listener = listener
  }

  opened(): void {
    this.state = 'open'
  }

  send(text: string, done?: () => void): void {
    if (this.state !== 'open') {
      if (done) this.process.post(done)
      return
    }
    const { tap, newer } = this.link.network
    if (this.side === 'client') tap.clientSent(this.link, text)
    else tap.serverSent(this.link, text)
    const later = newer === this.side && this.link.protocol !== ''
    this.out.push({ kind: 'text', text: later ? extended(text) : text, code: 0, bytes: text.length, done })
    // Never the first frame of a connection: those are `hello` and `welcome` in every version.
    if (later && this.talked && this.link.network.random.chance(0.05))
      this.out.push({ kind: 'text', text: TOMORROW, code: 0, bytes: TOMORROW.length })
    this.talked = true
  }

  close(code = 1005, reason = ''): void {
    if (this.state === 'closing' || this.state === 'closed') return
    if (this.state === 'connecting') {
      this.terminate()
      return
    }
    this.state = 'closing'
    this.closeCode = code
    this.out.push({ kind: 'close', text: reason, code, bytes: 4 })
    this.link.network.clock.setTimer(() => {
      if (this.state === 'closing') this.terminate()
    }, CLOSE_TIMEOUT)
  }

  terminate(): void {
    if (this.state === 'closed') return
    this.state = 'closing'
    this.closeCode = 1006
    this.out.push({ kind: 'lost', text: '', code: 1006, bytes: 1 })
    this.process.post(() => this.finish(1006, ''))
  }

  ping(): void {
    this.waitForPong(this.state === 'open')
    if (this.state === 'open') this.out.push({ kind: 'ping', text: '', code: 0, bytes: 2 })
  }

  pause(): void {
    this.paused = true
  }

  resume(): void {
    this.paused = false
    this.process.post(() => this.drain())
  }

  /** A packet has arrived. */
  receive(packet: Packet): void {
    this.inbox.push(packet)
    if (this.inbox.length === 1) this.process.deliver(() => this.drain())
  }

  /** The connection is gone. */
  lost(): void {
    this.process.deliver(() => this.finish(1006, ''))
  }

  /** Its process is gone. */
  died(): void {
    this.waitForPong(false)
    this.state = 'closed'
    this.inbox = []
  }

  private drain(): void {
    while (this.inbox.length > 0) {
      const packet = this.inbox[0]!
      if (this.paused && packet.kind !== 'lost') return
      this.inbox.shift()
      const from = this.side === 'client' ? this.link.down : this.link.up
      from.consumed(packet.bytes)
      this.handle(packet)
    }
  }

  private handle(packet: Packet): void {
    if (this.state === 'closed') return
    switch (packet.kind) {
      case 'open':
        if (this.state !== 'connecting') return
        this.state = 'open'
        this.listener?.open?.()
        return
      case 'text':
        if (this.side === 'client') this.link.network.tap.clientGot(this.link, packet.text)
        this.listener?.message(packet.text)
        return
      case 'ping':
        this.out.push({ kind: 'pong', text: '', code: 0, bytes: 2 })
        this.listener?.alive?.()
        return
      case 'pong':
        this.waitForPong(false)
        this.listener?.alive?.()
        return
      case 'close':
        // A peer echoes the code; who asked first sees its own come back.
        if (this.state === 'closing') this.finish(this.closeCode, '')
        else {
          this.out.push({ kind: 'close', text: '', code: packet.code, bytes: 4 })
          this.finish(packet.code, packet.text)
        }
        return
      case 'lost':
        this.finish(1006, '')
    }
  }

  private waitForPong(waiting: boolean): void {
    if (this.pinged === waiting) return
    this.pinged = waiting
    this.link.network.pinging += waiting ? 1 : -1
  }

  private finish(code: number, reason: string): void {
    if (this.state === 'closed') return
    this.waitForPong(false)
    this.state = 'closed'
    const listener = this.listener
    this.listener = undefined
    const { tap } = this.link.network
    if (this.side === 'client') tap.clientClosed(this.link, code)
    else tap.serverClosed(this.link, code)
    this.link.ended()
    listener?.close(code, reason)
  }
}
