import { once } from 'node:events'
import { type AddressInfo, connect, createServer, type Socket } from 'node:net'
import { afterEach, describe, expect, it } from 'vitest'
import { type ChaosPlan, chaosProxy } from './chaos-proxy.js'

const cleanups: (() => unknown)[] = []
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup()
})

/** An echo server that remembers what it got, behind a proxy. */
async function start(plan: ChaosPlan = {}) {
  const got: Buffer[] = []
  const sockets: Socket[] = []
  const server = createServer((socket) => {
    sockets.push(socket)
    socket.on('error', () => {})
    socket.on('data', (chunk) => {
      got.push(chunk)
      socket.write(chunk)
    })
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const proxy = await chaosProxy({ port: (server.address() as AddressInfo).port, plan: () => plan })
  const client = connect(proxy.port, '127.0.0.1')
  client.on('error', () => {})
  cleanups.push(
    () => server.close(),
    () => proxy.close(),
    () => client.destroy(),
    () => {
      for (const socket of sockets) socket.destroy()
    },
  )
  await once(client, 'connect')
  return { proxy, client, sockets, received: () => Buffer.concat(got).toString() }
}

/** Not `once`: it rejects on the error that a reset is. */
async function ended(socket: Socket): Promise<void> {
  socket.on('error', () => {})
  socket.resume()
  if (!socket.destroyed || !socket.closed) await new Promise<void>((resolve) => socket.once('close', () => resolve()))
}

async function read(socket: Socket, length: number): Promise<string> {
  let text = ''
  while (text.length < length) text += String((await once(socket, 'data'))[0])
  return text
}

describe('chaosProxy', () => {
  it('carries everything both ways when nothing is planned', async () => {
    const { proxy, client } = await start()
    client.write('hello')
    expect(await read(client, 5)).toBe('hello')
    expect(proxy.bytes).toEqual({ toServer: 5, toClient: 5 })
    expect(proxy.connections).toBe(1)
    client.end()
    await once(client, 'close')
  })

  it('lets exactly so many bytes through and then resets', async () => {
    const { client, proxy } = await start({ toClient: { cutAt: 7 } })
    client.write('0123456789')
    expect(await read(client, 7)).toBe('0123456')
    await ended(client)
    expect(proxy.bytes.toClient).toBe(7)
  })

  it('cuts the way to the server', async () => {
    const { client, sockets, received } = await start({ toServer: { cutAt: 3, cutMode: 'close' } })
    client.write('0123456789')
    client.resume()
    await once(client, 'end')
    if (!sockets[0]?.readableEnded) await once(sockets[0] as Socket, 'end')
    expect(received()).toBe('012')
  })

  it('goes half-open: nothing comes any more, and nobody is told', async () => {
    const { client, proxy, received } = await start()
    client.write('a')
    expect(await read(client, 1)).toBe('a')
    proxy.cut('half-open')
    client.write('b')
    const other = connect(proxy.port, '127.0.0.1')
    cleanups.push(() => other.destroy())
    // What a later connection does comes through, so the first one had its chance.
    other.write('c')
    expect(await read(other, 1)).toBe('c')
    expect(received()).toBe('ac')
    expect(client.destroyed).toBe(false)
  })

  it('drips, delays and keeps the order', async () => {
    const { client } = await start({ toServer: { dripBytes: 1, delayMs: 2 }, toClient: { dripBytes: 3 } })
    client.write('0123456789')
    client.write('abc')
    expect(await read(client, 13)).toBe('0123456789abc')
  })

  it('cuts before the first byte', async () => {
    for (const direction of ['toServer', 'toClient'] as const) {
      const { client, proxy } = await start({ [direction]: { cutAt: 0 } })
      client.write('0123456789')
      await ended(client)
      expect(proxy.bytes[direction]).toBe(0)
    }
  })

  it('changes the weather of a connection, and counts its cut from there', async () => {
    const { client, proxy } = await start()
    client.write('hello')
    expect(await read(client, 5)).toBe('hello')
    const [connection] = proxy.open
    expect(connection).toMatchObject({ number: 0, state: 'open', bytes: { toServer: 5, toClient: 5 } })
    connection!.weather({ toClient: { cutAt: 3 } })
    client.write('0123456789')
    expect(await read(client, 3)).toBe('012')
    await connection!.over
    expect(connection).toMatchObject({ state: 'closed', bytes: { toServer: 15, toClient: 8 } })
    expect(proxy.open).toEqual([])
  })

  it('refuses connections as a server that is down, without asking it', async () => {
    const { proxy, sockets } = await start()
    proxy.plan(() => ({ refuse: true }))
    const other = connect(proxy.port, '127.0.0.1')
    await ended(other)
    expect(proxy.connections).toBe(2)
    expect(sockets).toHaveLength(1)
  })

  it('over a dead link, the end of one side is not heard by the other', async () => {
    const { client, proxy, sockets } = await start()
    client.write('a')
    expect(await read(client, 1)).toBe('a')
    const [connection] = proxy.open
    connection!.cut('half-open')
    await connection!.over
    client.resetAndDestroy()
    await ended(client)
    // What a later connection does comes through, so the first one had its chance.
    const other = connect(proxy.port, '127.0.0.1')
    cleanups.push(() => other.destroy())
    other.write('c')
    expect(await read(other, 1)).toBe('c')
    expect(connection!.state).toBe('half-open')
    expect(sockets[0]).toMatchObject({ destroyed: false, readableEnded: false })
  })

  it('brings what waits before it passes on the end', async () => {
    const { client, sockets, received } = await start({ toServer: { delayMs: 30, jitterMs: 5 } })
    client.write('0123456789')
    client.end()
    const server = await new Promise<Socket>((resolve) => {
      const look = () => (sockets[0] ? resolve(sockets[0]) : setImmediate(look))
      look()
    })
    if (!server.readableEnded) await once(server, 'end')
    expect(received()).toBe('0123456789')
  })

  it('does not read on while its drip is behind, so that the sender feels it', async () => {
    const { client, proxy } = await start({ toServer: { dripBytes: 1, dripMs: 60_000 } })
    client.write(Buffer.alloc(32 << 20))
    proxy.plan(() => ({}))
    const other = connect(proxy.port, '127.0.0.1')
    cleanups.push(() => other.destroy())
    // A proxy that reads on has taken it all long before this is over.
    for (let round = 0; round < 500; round++) {
      other.write('x')
      await read(other, 1)
    }
    expect(client.writableLength).toBeGreaterThan(0)
  })

  it('says what is wrong with a port', async () => {
    await expect(chaosProxy({ port: 0 })).rejects.toThrow('expected that of the real server, 1 to 65535, came 0')
  })
})
