import { connect, type Socket } from 'node:net'

export interface RawListener {
  open(): void
  text(text: string): void
  close(): void
}

const KEY = 'a2l0aHdpcmUtYmVuY2ghIQ=='
const MASK = [0x6b, 0x69, 0x74, 0x68] as const

/**
 * The client's end of a WebSocket, for a load generator that must not be what is measured: no checks, text of one byte
 * a character, and everything that is sent within a turn in one write. Frames are masked, as a server expects.
 */
export class RawSocket {
  private readonly socket: Socket
  private rest: Buffer | undefined
  private upgraded = false
  private ended = false
  private waiting: string[] = []

  constructor(
    port: number,
    path: string,
    protocol: string | undefined,
    private readonly listener: RawListener,
  ) {
    this.socket = connect({ port, host: '127.0.0.1', noDelay: true })
    this.socket.on('connect', () => {
      const lines = [
        `GET ${path} HTTP/1.1`,
        'Host: 127.0.0.1',
        'Upgrade: websocket',
        'Connection: Upgrade',
        `Sec-WebSocket-Key: ${KEY}`,
        'Sec-WebSocket-Version: 13',
      ]
      if (protocol) lines.push(`Sec-WebSocket-Protocol: ${protocol}`)
      this.socket.write(`${lines.join('\r\n')}\r\n\r\n`)
    })
    this.socket.on('data', (chunk) => this.take(chunk))
    this.socket.on('error', () => {})
    this.socket.on('close', () => this.end())
  }

  send(text: string): void {
    if (this.waiting.push(text) === 1) process.nextTick(() => this.flush())
  }

  /** Drops the connection: the server gets a reset. No event follows. */
  destroy(): void {
    this.ended = true
    this.socket.resetAndDestroy()
  }

  private end(): void {
    if (this.ended) return
    this.ended = true
    this.listener.close()
  }

  private flush(): void {
    const texts = this.waiting
    this.waiting = []
    if (this.ended) return
    let size = 0
    for (const { length } of texts) size += length + (length < 126 ? 6 : 8)
    const bytes = Buffer.allocUnsafe(size)
    let at = 0
    for (const text of texts) {
      const { length } = text
      bytes[at++] = 0x81
      if (length < 126) bytes[at++] = 0x80 | length
      else {
        if (length > 65_535) throw new RangeError('The load sends no frames of more than 64 KB.')
        bytes[at++] = 0x80 | 126
        bytes[at++] = length >> 8
        bytes[at++] = length & 255
      }
      for (const byte of MASK) bytes[at++] = byte
      bytes.write(text, at, 'latin1')
      for (let index = 0; index < length; index++) bytes[at + index]! ^= MASK[(index & 3) as 0 | 1 | 2 | 3]
      at += length
    }
    this.socket.write(bytes)
  }

  private take(chunk: Buffer): void {
    let bytes = this.rest === undefined ? chunk : Buffer.concat([this.rest, chunk])
    this.rest = undefined
    if (!this.upgraded) {
      const end = bytes.indexOf('\r\n\r\n')
      if (end < 0) {
        this.rest = bytes
        return
      }
      if (!bytes.toString('latin1', 0, end).startsWith('HTTP/1.1 101')) {
        this.socket.destroy()
        return
      }
      this.upgraded = true
      this.listener.open()
      bytes = bytes.subarray(end + 4)
    }
    let at = 0
    while (!this.ended && at + 2 <= bytes.length) {
      const kind = bytes[at]! & 15
      let length = bytes[at + 1]! & 127
      let start = at + 2
      if (length === 126) {
        start = at + 4
        if (start > bytes.length) break
        length = bytes.readUInt16BE(at + 2)
      } else if (length === 127) {
        start = at + 10
        if (start > bytes.length) break
        length = Number(bytes.readBigUInt64BE(at + 2))
      }
      if (start + length > bytes.length) break
      at = start + length
      if (kind === 1) this.listener.text(bytes.toString('latin1', start, at))
      else if (kind === 9) this.socket.write(Buffer.from([0x8a, 0x80, ...MASK]))
      else if (kind === 8) this.socket.destroy()
    }
    if (at < bytes.length && !this.ended) this.rest = at === 0 ? bytes : bytes.subarray(at)
  }
}
