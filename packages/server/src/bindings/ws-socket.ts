import type { IncomingMessage } from 'node:http'
import type { Duplex } from 'node:stream'
import { type Runtime, type SocketLike, type SocketListener, SUBPROTOCOL, type Timer } from '@kithwire/protocol'
import { type Server, WebSocket, WebSocketServer } from 'ws'
import type { ServerLimits } from '../limits.js'

/** The limits of `ServerLimits` that the WebSocket layer enforces. */
export type TransportLimits = Pick<ServerLimits, 'frame' | 'maxFragments' | 'maxBufferedChunks' | 'messageMs'>

/** How long a peer may take to answer a close; then the connection is dropped. */
const CLOSE_MS = 5_000
/** A socket that is accepted only to be told why it is refused is dropped after this. */
const REFUSED_MS = 1_000

/** The one place that knows the `ws` package: completes handshakes that were decided upon elsewhere. */
export class Upgrader {
  private readonly server: Server<typeof OrderedWebSocket>
  private readonly turn = new Turn()

  constructor(
    private readonly limits: TransportLimits,
    private readonly runtime: Pick<Runtime, 'setTimer' | 'clearTimer'>,
  ) {
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
      WebSocket: OrderedWebSocket,
      handleProtocols: (offered: Set<string>) => (offered.has(SUBPROTOCOL) ? SUBPROTOCOL : false),
    } as const
    this.server = new WebSocketServer<typeof OrderedWebSocket>(options)
  }

  /** Completes the handshake. `opened` is not called if the connection was lost in the meantime. */
  upgrade(request: IncomingMessage, socket: Duplex, head: Buffer, opened: (socket: SocketLike) => void): void {
    this.server.handleUpgrade(request, socket, head, (ws) => {
      opened(new WsSocket(ws, socket, this.limits.messageMs, this.runtime, this.turn))
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
      const timer = this.runtime.setTimer(() => ws.terminate(), REFUSED_MS)
      socket.once('close', () => this.runtime.clearTimer(timer))
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

/** What the package sends by itself goes out behind what is held back: pongs, and the answer to a close. */
class OrderedWebSocket extends WebSocket {
  flush: (() => void) | undefined

  override pong(...args: Parameters<WebSocket['pong']>): void {
    this.flush?.()
    super.pong(...args)
  }

  override close(code?: number, reason?: string | Buffer): void {
    this.flush?.()
    super.close(code, reason)
  }
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

/** A socket of the `ws` package as the core knows it. */
export class WsSocket implements SocketLike {
  private closing = false
  /** The code of a frame that broke the WebSocket protocol, of which the package itself tells the peer alone. */
  private fault: number | undefined
  private partial = false
  private timer: Timer | undefined
  private held = false
  /** Frames that are held back, each character a byte. */
  private frames = ''
  private sent: (() => void)[] = []

  constructor(
    private readonly ws: OrderedWebSocket,
    private readonly raw: Duplex,
    private readonly messageMs: number,
    private readonly runtime: Pick<Runtime, 'setTimer' | 'clearTimer'>,
    private readonly turn: Turn,
  ) {
    // What is wrong with a frame arrives as an error first and then as a close, which is where it is told.
    ws.on('error', ({ code }: NodeJS.ErrnoException) => {
      if (code?.startsWith('WS_ERR_')) this.fault = FAULTS.get(code) ?? 1002
    })
    ws.flush = () => this.flush()
    // A peer that sends no more may still read.
    raw.prependListener('end', ws.flush)
  }

  get protocol(): string {
    return this.ws.protocol
  }

  get bufferedAmount(): number {
    return this.ws.bufferedAmount + this.frames.length
  }

  listen(listener: SocketListener): void {
    const { ws } = this
    ws.on('message', (data, binary) => {
      this.complete()
      if (!this.closing) listener.message(binary ? null : String(data))
    })
    ws.on('ping', () => this.alive(listener))
    ws.on('pong', () => this.alive(listener))
    ws.on('close', (code, reason) => {
      this.closing = true
      this.complete()
      listener.close(this.fault ?? code, String(reason))
    })
    this.watch()
  }

  send(text: string, done?: () => void): void {
    if (this.ws.readyState !== WebSocket.OPEN) {
      if (done) queueMicrotask(done)
      return
    }
    if (!this.held) {
      this.held = true
      this.turn.hold(this)
    }
    this.frames += frameOf(text)
    if (done) this.sent.push(done)
  }

  /** The end of the turn. */
  release(): void {
    this.held = false
    this.flush()
  }

  /** Hands what was held back to the network, in one piece. */
  private flush(): void {
    const { frames, sent } = this
    if (frames === '') return
    this.frames = ''
    this.sent = []
    this.raw.write(frames, 'latin1', () => {
      for (const done of sent) done()
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

  private alive(listener: SocketListener): void {
    this.complete()
    if (!this.closing) listener.alive?.()
  }

  /**
   * Bytes that have not become a message start a timer. One listener stands before that of `ws` and one behind it, so
   * that a message which came whole costs no timer.
   */
  private watch(): void {
    this.raw.prependListener('data', () => {
      this.partial = true
    })
    this.raw.on('data', () => {
      if (!this.partial || this.timer !== undefined || this.closing) return
      this.timer = this.runtime.setTimer(() => this.close(1008, 'unfinished message'), this.messageMs)
    })
  }

  private complete(): void {
    this.partial = false
    if (this.timer === undefined) return
    this.runtime.clearTimer(this.timer)
    this.timer = undefined
  }
}
