import type { IncomingMessage } from 'node:http'
import type { Duplex } from 'node:stream'
import { type Runtime, type SocketLike, type SocketListener, SUBPROTOCOL, type Timer } from '@kithwire/protocol'
import { type RawData, type Server, WebSocket, WebSocketServer } from 'ws'
import type { ServerLimits } from '../limits.js'

/** The limits of `ServerLimits` that the WebSocket layer enforces. */
export type TransportLimits = Pick<ServerLimits, 'frame' | 'maxFragments' | 'maxBufferedChunks' | 'messageMs'>

/** How long a peer may take to answer a close; then the connection is dropped. */
const CLOSE_MS = 5_000
/** A socket that is accepted only to be told why it is refused is dropped after this. */
const REFUSED_MS = 1_000

/** The one place that knows the `ws` package: completes handshakes that were decided upon elsewhere. */
export class Upgrader {
  private readonly server: Server<typeof OwnedWebSocket>
  private readonly transport: Transport

  constructor(limits: TransportLimits, runtime: Transport['runtime']) {
    this.transport = { limits, runtime, turn: new Turn() }
    // The defaults of the package are a hundred times what chat needs. Deflate costs 14 times the CPU for small frames
    // and opens the decompression bomb. Pongs are bounded: whoever pings and never reads fills no memory. A burst of
    // them in one segment is read before the first pong has left, so the bound leaves room for one.
    const options = {
      noServer: true,
      clientTracking: false,
      perMessageDeflate: false,
      maxPayload: limits.frame,
      maxFragments: limits.maxFragments,
      maxBufferedChunks: limits.maxBufferedChunks,
      maxPendingAutoPongs: 64,
      closeTimeout: CLOSE_MS,
      WebSocket: OwnedWebSocket,
      handleProtocols: (offered: Set<string>) => (offered.has(SUBPROTOCOL) ? SUBPROTOCOL : false),
    } as const
    this.server = new WebSocketServer<typeof OwnedWebSocket>(options)
  }

  /** Completes the handshake. `opened` is not called if the connection was lost in the meantime. */
  upgrade(request: IncomingMessage, socket: Duplex, head: Buffer, opened: (socket: SocketLike) => void): void {
    this.server.handleUpgrade(request, socket, head, (ws) => {
      opened(new WsSocket(ws, socket, this.transport))
    })
  }

  /**
   * Completes the handshake only to close: a browser cannot read the status of a refused one. Nothing is read, and the
   * connection is dropped after a second.
   */
  refuse(request: IncomingMessage, socket: Duplex, head: Buffer, code: number, reason: string): void {
    this.server.handleUpgrade(request, socket, head, (ws) => {
      ws.on('error', () => {})
      ws.pause()
      ws.close(code, reason)
      socket.end()
      const { runtime } = this.transport
      const timer = runtime.setTimer(() => ws.terminate(), REFUSED_MS)
      socket.once('close', () => runtime.clearTimer(timer))
    })
  }
}

/** What the package closes with, by its name for what is wrong with a frame; 1002 for every other one. */
const FAULTS: ReadonlyMap<string, number> = new Map([
  ['WS_ERR_INVALID_UTF8', 1007],
  ['WS_ERR_TOO_MANY_BUFFERED_PARTS', 1008],
  ['WS_ERR_UNSUPPORTED_DATA_PAYLOAD_LENGTH', 1009],
  ['WS_ERR_UNSUPPORTED_MESSAGE_LENGTH', 1009],
])

/**
 * A socket that tells its owner what comes by methods: a listener for each kind of event would be a closure of each
 * connection, and there are many. What the package sends by itself, pongs and the answer to a close, goes out behind
 * what is held back.
 */
class OwnedWebSocket extends WebSocket {
  owner: WsSocket | undefined

  override emit(event: string | symbol, ...args: unknown[]): boolean {
    const { owner } = this
    if (owner === undefined) return super.emit(event, ...args)
    const [first, second] = args
    if (event === 'message') owner.received(first as RawData, second as boolean)
    else if (event === 'ping' || event === 'pong') owner.heard()
    else if (event === 'error') owner.failed(first as NodeJS.ErrnoException)
    else if (event === 'close') owner.ended(first as number, second as Buffer)
    return true
  }

  override pong(...args: Parameters<WebSocket['pong']>): void {
    this.owner?.flush()
    super.pong(...args)
  }

  override close(code?: number, reason?: string | Buffer): void {
    this.owner?.flush()
    super.close(code, reason)
  }
}

const OWNER = Symbol('owner')

/** The connection under a WebSocket, which finds its owner without a closure. */
interface Owned extends Duplex {
  [OWNER]?: WsSocket
}

/**
 * A peer that sends no more may still read, and the package ends the connection then. One function for all in place of a
 * listener in front of its own: a third listener of one event takes 200 bytes of each connection.
 */
const end: Duplex['end'] = function (this: Owned, ...args: unknown[]) {
  this[OWNER]?.flush()
  return Reflect.apply(Object.getPrototypeOf(this).end, this, args)
}

function afterData(this: Owned): void {
  this[OWNER]?.read()
}

/**
 * Holds back what sockets send until everything that has arrived is read: a system call for each frame is what a
 * message costs most, and an acknowledgement often has a delivery for company.
 */
class Turn {
  private held: WsSocket[] = []

  hold(socket: WsSocket): void {
    if (this.held.push(socket) === 1) setImmediate(() => this.end())
  }

  private end(): void {
    const { held } = this
    this.held = []
    for (const socket of held) socket.release()
  }
}

/** A whole text frame without a mask (RFC 6455, 5.2), each character a byte. */
function frameOf(text: string): string {
  const length = Buffer.byteLength(text)
  const bytes = length === text.length ? text : Buffer.from(text).toString('latin1')
  if (length < 126) return String.fromCharCode(0x81, length) + bytes
  if (length < 65_536) return String.fromCharCode(0x81, 126, length >> 8, length & 255) + bytes
  const size = Buffer.alloc(8)
  size.writeBigUInt64BE(BigInt(length))
  return `\x81\x7f${size.toString('latin1')}${bytes}`
}

/** What all sockets of a server share. */
interface Transport {
  readonly limits: TransportLimits
  readonly runtime: Pick<Runtime, 'setTimer' | 'clearTimer'>
  readonly turn: Turn
}

/** A socket of the `ws` package as the core knows it. */
export class WsSocket implements SocketLike {
  private closing = false
  /** The code of a frame that broke the WebSocket protocol, of which the package itself tells the peer alone. */
  private fault: number | undefined
  /** The bytes that came last had the end of a message, a ping or a pong among them. */
  private whole = false
  private timer: Timer | undefined
  private held = false
  /** Frames that are held back, each character a byte. */
  private frames = ''
  private sent: (() => void)[] | undefined
  private listener: SocketListener | undefined

  constructor(
    private readonly ws: OwnedWebSocket,
    private readonly raw: Owned,
    private readonly transport: Transport,
  ) {
    ws.owner = this
    raw[OWNER] = this
    raw.end = end
    // Behind that of the package, which by then has told of all that came whole.
    raw.on('data', afterData)
  }

  get protocol(): string {
    return this.ws.protocol
  }

  get bufferedAmount(): number {
    return this.ws.bufferedAmount + this.frames.length
  }

  listen(listener: SocketListener): void {
    this.listener = listener
  }

  /** A whole message came. */
  received(data: RawData, binary: boolean): void {
    this.complete()
    if (!this.closing) this.listener?.message(binary ? null : String(data))
  }

  /** A ping or a pong came. */
  heard(): void {
    this.complete()
    if (!this.closing) this.listener?.alive?.()
  }

  /** What is wrong with a frame arrives as an error first and then as a close, which is where it is told. */
  failed({ code }: NodeJS.ErrnoException): void {
    if (code?.startsWith('WS_ERR_')) this.fault = FAULTS.get(code) ?? 1002
  }

  ended(code: number, reason: Buffer): void {
    this.closing = true
    this.complete()
    this.listener?.close(this.fault ?? code, String(reason))
  }

  /** Bytes came, and what they completed was told. Those that were not a whole message start a timer. */
  read(): void {
    const { whole } = this
    this.whole = false
    if (whole || this.timer !== undefined || this.closing) return
    const { runtime, limits } = this.transport
    this.timer = runtime.setTimer(() => this.close(1008, 'unfinished message'), limits.messageMs)
  }

  send(text: string, done?: () => void): void {
    if (this.ws.readyState !== WebSocket.OPEN) {
      if (done) queueMicrotask(done)
      return
    }
    if (!this.held) {
      this.held = true
      this.transport.turn.hold(this)
    }
    this.frames += frameOf(text)
    if (done === undefined) return
    // A list of the one that there is, as a rule: the first that is pushed makes room for many.
    if (this.sent === undefined) this.sent = [done]
    else this.sent.push(done)
  }

  /** The end of the turn. */
  release(): void {
    this.held = false
    this.flush()
  }

  /** Hands what was held back to the network, in one piece. */
  flush(): void {
    const { frames, sent } = this
    if (frames === '') return
    this.frames = ''
    this.sent = undefined
    this.raw.write(frames, 'latin1', () => {
      for (const done of sent ?? []) done()
    })
  }

  close(code?: number, reason?: string): void {
    if (this.closing) return
    this.closing = true
    // A paused socket would not read the answer of the peer and hang until the time for it is over.
    this.ws.resume()
    if (code === undefined || code === 1005) this.ws.close()
    else this.ws.close(code, reason)
  }

  terminate(): void {
    this.closing = true
    this.flush()
    this.ws.terminate()
  }

  ping(): void {
    if (this.ws.readyState !== WebSocket.OPEN) return
    this.flush()
    this.ws.ping()
  }

  pause(): void {
    if (!this.closing) this.ws.pause()
  }

  resume(): void {
    this.ws.resume()
  }

  private complete(): void {
    this.whole = true
    if (this.timer === undefined) return
    this.transport.runtime.clearTimer(this.timer)
    this.timer = undefined
  }
}
