import { randomBytes } from 'node:crypto'
import { EventEmitter, once } from 'node:events'
import { connect, type Socket } from 'node:net'

export interface FrameOptions {
  fin?: boolean
  /** RSV1 to RSV3 as bits 4, 2 and 1. */
  rsv?: number
  mask?: boolean
  /** Four bytes to mask with. @default random ones */
  key?: Uint8Array
  /** What the header claims; the payload may be shorter. */
  claim?: bigint
}

/** The bytes of one frame (RFC 6455, 5.2), right or wrong as asked for. */
export function frame(opcode: number, payload: Buffer | string = '', options: FrameOptions = {}): Buffer {
  const { fin = true, rsv = 0, mask = true } = options
  const body = Buffer.from(payload)
  const length = options.claim ?? BigInt(body.length)
  const head = [(fin ? 0x80 : 0) | (rsv << 4) | opcode]
  const masked = mask ? 0x80 : 0
  if (length < 126n) head.push(masked | Number(length))
  else if (length < 65_536n) head.push(masked | 126, Number(length >> 8n), Number(length & 255n))
  else {
    head.push(masked | 127)
    for (let shift = 56n; shift >= 0n; shift -= 8n) head.push(Number((length >> shift) & 255n))
  }
  if (!mask) return Buffer.concat([Buffer.from(head), body])
  const key = options.key ?? randomBytes(4)
  const scrambled = body.map((byte, index) => byte ^ (key[index & 3] as number))
  return Buffer.concat([Buffer.from(head), key, scrambled])
}

export const text = (payload: Buffer | string, options?: FrameOptions) => frame(1, payload, options)

/** A close frame with a code and a reason. */
export function closeFrame(code: number, reason: Buffer | string = '', options?: FrameOptions): Buffer {
  return frame(8, Buffer.concat([Buffer.from([code >> 8, code & 255]), Buffer.from(reason)]), options)
}

export interface RawOptions {
  port: number
  path?: string
  headers?: Record<string, string>
  protocols?: string[]
}

/**
 * A WebSocket client that sends whatever bytes it is told to. Emits `text`, `pong` and, once, `closed` with the code
 * (1006 without a close frame).
 */
export class RawWebSocket extends EventEmitter {
  readonly texts: string[] = []
  code: number | undefined
  private buffer = Buffer.alloc(0)

  private constructor(
    readonly socket: Socket,
    rest: Buffer,
  ) {
    super()
    this.take(rest)
    socket.on('data', (chunk: Buffer) => this.take(chunk))
    socket.on('error', () => {})
    socket.on('close', () => this.end(1006))
  }

  static async open(options: RawOptions): Promise<RawWebSocket> {
    const { port, path = '/', headers = {}, protocols = [] } = options
    const socket = connect(port, '127.0.0.1')
    await once(socket, 'connect')
    const all: Record<string, string> = {
      Host: `127.0.0.1:${port}`,
      Upgrade: 'websocket',
      Connection: 'Upgrade',
      'Sec-WebSocket-Key': randomBytes(16).toString('base64'),
      'Sec-WebSocket-Version': '13',
      ...(protocols.length > 0 && { 'Sec-WebSocket-Protocol': protocols.join(', ') }),
      ...headers,
    }
    const lines = Object.entries(all).map(([name, value]) => `${name}: ${value}\r\n`)
    socket.write(`GET ${path} HTTP/1.1\r\n${lines.join('')}\r\n`)
    let head = Buffer.alloc(0)
    while (head.indexOf('\r\n\r\n') < 0) {
      const [chunk] = await Promise.race([
        once(socket, 'data'),
        once(socket, 'close').then(() => [Buffer.from('\r\n\r\n')]),
      ])
      head = Buffer.concat([head, chunk as Buffer])
    }
    const end = head.indexOf('\r\n\r\n') + 4
    const status = head.subarray(0, end).toString().split('\r\n', 1)[0] ?? ''
    if (!status.includes(' 101 ')) {
      socket.destroy()
      throw new Error(`Expected 101, came "${status}".`)
    }
    return new RawWebSocket(socket, head.subarray(end))
  }

  write(bytes: Buffer | string): void {
    if (!this.socket.destroyed) this.socket.write(bytes)
  }

  /** Sends an envelope. */
  send(envelope: object): void {
    this.write(text(JSON.stringify({ v: 1, ...envelope })))
  }

  /** The first text frame, past or future, that fits. */
  async frame(fits: (envelope: Record<string, unknown>) => boolean): Promise<Record<string, unknown>> {
    for (let index = 0; ; index++) {
      while (index >= this.texts.length) {
        if (this.code !== undefined)
          throw new Error(`The socket closed with ${this.code} before the expected frame came.`)
        await Promise.race([once(this, 'text'), once(this, 'closed')])
      }
      const envelope = JSON.parse(this.texts[index] as string)
      if (fits(envelope)) return envelope
    }
  }

  /** Resolves with the close code. */
  async closed(): Promise<number> {
    if (this.code === undefined) await once(this, 'closed')
    return this.code as number
  }

  destroy(): void {
    this.socket.destroy()
  }

  private take(chunk: Buffer): void {
    this.buffer = Buffer.concat([this.buffer, chunk])
    for (;;) {
      if (this.buffer.length < 2) return
      const opcode = (this.buffer[0] as number) & 15
      let length = (this.buffer[1] as number) & 127
      let start = 2
      if (length === 126) {
        if (this.buffer.length < 4) return
        length = this.buffer.readUInt16BE(2)
        start = 4
      } else if (length === 127) {
        if (this.buffer.length < 10) return
        length = Number(this.buffer.readBigUInt64BE(2))
        start = 10
      }
      if (this.buffer.length < start + length) return
      const payload = this.buffer.subarray(start, start + length)
      this.buffer = this.buffer.subarray(start + length)
      if (opcode === 1) {
        this.texts.push(payload.toString())
        this.emit('text')
      } else if (opcode === 9) this.write(frame(10, payload))
      else if (opcode === 10) this.emit('pong')
      else if (opcode === 8) this.end(payload.length >= 2 ? payload.readUInt16BE(0) : 1005)
    }
  }

  private end(code: number): void {
    if (this.code !== undefined) return
    this.code = code
    this.emit('closed')
  }
}
