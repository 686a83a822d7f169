import { createServer } from 'node:http'
import { type AddressInfo, connect, type Socket } from 'node:net'
import type { Duplex } from 'node:stream'
import type { SocketLike } from '@kithwire/protocol'
import { FakeClock } from '@kithwire/protocol/testing'
import { afterEach, describe, expect, it } from 'vitest'
import { WebSocket } from 'ws'
import { DEFAULT_SERVER_LIMITS } from '../limits.js'
import { Upgrader } from './ws-socket.js'

const cleanups: (() => unknown)[] = []
afterEach(async () => {
  for (const run of cleanups.splice(0).reverse()) await run()
})

/** One upgraded socket: the server's end as the core has it, and the client's TCP end. */
async function open() {
  const runtime = new FakeClock()
  const upgrader = new Upgrader(DEFAULT_SERVER_LIMITS, runtime)
  const server = createServer()
  const opened = new Promise<{ raw: Duplex; socket: SocketLike }>((resolve) =>
    server.on('upgrade', (request, raw, head) =>
      upgrader.upgrade(request, raw, head, (socket) => resolve({ raw, socket })),
    ),
  )
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  cleanups.push(() => new Promise((resolve) => server.close(resolve)))
  const { port } = server.address() as AddressInfo
  const client = connect(port, '127.0.0.1')
  cleanups.push(() => client.destroy())
  client.on('error', () => {})
  client.write(
    'GET / HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n' +
      'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n',
  )
  const { raw, socket } = await opened
  await new Promise((resolve) => client.once('data', resolve))
  return { runtime, socket, raw, client, ...listenTo(socket) }
}

function listenTo(socket: SocketLike) {
  const events: string[] = []
  let wake = () => {}
  const closed = new Promise<[number, string]>((resolve) =>
    socket.listen({
      message: (text) => {
        events.push(`message ${text}`)
        wake()
      },
      alive: () => {
        events.push('alive')
        wake()
      },
      close: (code, reason) => resolve([code, reason]),
    }),
  )
  const count = async (number: number) => {
    while (events.length < number)
      await new Promise<void>((resolve) => {
        wake = resolve
      })
  }
  return { events, closed, count }
}

/** A masked frame with a mask of zeros. */
const frame = (opcode: number, payload: string) =>
  Buffer.concat([Buffer.from([0x80 | opcode, 0x80 | payload.length, 0, 0, 0, 0]), Buffer.from(payload)])

const arrived = (client: Socket, bytes: Buffer | string) => new Promise((resolve) => client.write(bytes, resolve))

describe('WsSocket', () => {
  it('sends what it holds back before it answers the end of what a peer sends', async () => {
    const { client, socket, raw } = await open()
    raw.prependListener('end', () => socket.send('last'))
    let text = ''
    client.on('data', (piece) => {
      text += piece
    })
    client.end()
    await new Promise((resolve) => client.once('end', resolve))
    expect(text).toContain('last')
  })

  it('sends what is sent in one turn in one piece, in its order', async () => {
    const { client, socket } = await open()
    const pieces: string[] = []
    const came = new Promise<void>((resolve) =>
      client.on('data', (piece) => {
        pieces.push(String(piece))
        if (String(piece).includes('c')) resolve()
      }),
    )
    let sent = 0
    socket.send('a', () => sent++)
    await Promise.resolve()
    socket.send('b', () => sent++)
    expect(socket.bufferedAmount).toBeGreaterThan(0)
    process.nextTick(() => socket.send('c', () => sent++))
    await came
    expect(pieces).toEqual(['\x81\x01a\x81\x01b\x81\x01c'.replaceAll('\x81', '\ufffd')])
    await new Promise((resolve) => setImmediate(resolve))
    expect(sent).toBe(3)
  })

  it('sends what it holds before it is dropped', async () => {
    const { client, socket } = await open()
    const came = new Promise((resolve) => client.once('data', (piece) => resolve(String(piece))))
    socket.send('last words')
    socket.terminate()
    expect(await came).toContain('last words')
  })

  it('tells text, binary, pings and pongs apart', async () => {
    const { client, events, count } = await open()
    client.write(Buffer.concat([frame(1, 'hi'), frame(2, 'x'), frame(9, ''), frame(10, '')]))
    await count(4)
    expect(events).toEqual(['message hi', 'message null', 'alive', 'alive'])
  })

  it('F16 closes 1008 when a message is not whole within 15 s of its first byte', async () => {
    const { runtime, client, closed, socket, events } = await open()
    const bytes = frame(1, 'hello')
    await arrived(client, bytes.subarray(0, 3))
    // The server has read it once it has set the timer.
    await expect.poll(() => runtime.pending).toBe(1)
    await runtime.advance(14_999)
    expect(events).toEqual([])
    await arrived(client, bytes.subarray(3, 8))
    const answered = new Promise<Buffer>((resolve) => client.once('data', resolve))
    await runtime.advance(1)
    const answer = await answered
    expect([...answer.subarray(0, 4)]).toEqual([0x88, answer.length - 2, 1008 >> 8, 1008 & 255])
    client.destroy()
    expect((await closed)[0]).toBe(1006)
    expect(runtime.pending).toBe(0)
    socket.send('after the end', () => {})
  })

  it('sets no timer for messages that come whole, and none is left by those that do not', async () => {
    const { runtime, client, count } = await open()
    client.write(Buffer.concat([frame(1, 'one'), frame(1, 'two')]))
    await count(2)
    expect(runtime.pending).toBe(0)
    const bytes = frame(1, 'three')
    await arrived(client, bytes.subarray(0, 3))
    await expect.poll(() => runtime.pending).toBe(1)
    await arrived(client, bytes.subarray(3))
    await count(3)
    expect(runtime.pending).toBe(0)
  })

  it('answers every ping of a burst that comes in one segment', async () => {
    const { client, count } = await open()
    const answers = new Promise<Buffer>((resolve) => {
      let got = Buffer.alloc(0)
      client.on('data', (chunk: Buffer) => {
        got = Buffer.concat([got, chunk])
        if (got.length >= 30) resolve(got)
      })
    })
    client.write(Buffer.concat(Array.from({ length: 10 }, (_, index) => frame(9, `${index}`))))
    await count(10)
    const pongs = Array.from({ length: 10 }, (_, index) => [0x8a, 1, 48 + index]).flat()
    expect([...(await answers)]).toEqual(pongs)
  })

  it.each([
    ['a reserved bit', 1002, Buffer.from([0xc1, 0x80, 0, 0, 0, 0])],
    ['text that is not UTF-8', 1007, Buffer.from([0x81, 0x81, 0, 0, 0, 0, 0xff])],
    ['a frame that claims 16 MB', 1009, Buffer.from([0x81, 0xff, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0])],
  ])('tells of %s by its code, although the peer never answers the close', async (_name, code, bytes) => {
    const { client, closed } = await open()
    client.write(bytes)
    await new Promise((resolve) => client.once('data', resolve))
    client.resetAndDestroy()
    expect((await closed)[0]).toBe(code)
  })

  it('says nothing more after its own close but that it is closed, once', async () => {
    const { client, socket, events, closed } = await open()
    socket.close(4009, 'replaced')
    socket.close(1000)
    client.write(Buffer.concat([frame(1, 'late'), frame(8, '\u0003\u00e8')]))
    client.end()
    await closed
    expect(events).toEqual([])
  })

  it('calls done for every frame, also for those that cannot be sent any more', async () => {
    const { client, socket, closed } = await open()
    await new Promise<void>((resolve) => socket.send('one', resolve))
    client.resetAndDestroy()
    await closed
    await new Promise<void>((resolve) => socket.send('two', resolve))
    socket.ping?.()
    socket.pause?.()
    socket.resume?.()
    socket.terminate()
  })

  it('stops reading while paused, and goes on afterwards', async () => {
    const { client, socket, events, count } = await open()
    socket.pause?.()
    await arrived(client, frame(1, 'waits'))
    expect(events).toEqual([])
    socket.resume?.()
    await count(1)
    expect(events).toEqual(['message waits'])
  })
})

describe('Upgrader.refuse', () => {
  it('closes with the code, reads nothing, and drops who does not go after a second', async () => {
    const runtime = new FakeClock()
    const upgrader = new Upgrader(DEFAULT_SERVER_LIMITS, runtime)
    const server = createServer()
    const gone = new Promise<void>((resolve) =>
      server.on('upgrade', (request, socket, head) => {
        socket.once('close', resolve)
        upgrader.refuse(request, socket, head, 4501, 'no')
      }),
    )
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    cleanups.push(() => new Promise((resolve) => server.close(resolve)))
    const client = new WebSocket(`ws://127.0.0.1:${(server.address() as AddressInfo).port}`)
    expect(await new Promise((resolve) => client.once('close', resolve))).toBe(4501)
    await runtime.advance(1_000)
    await gone
    expect(runtime.pending).toBe(0)
  })
})
