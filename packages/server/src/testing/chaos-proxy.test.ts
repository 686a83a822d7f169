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
    // Not \`once\`: it rejects on the error that a reset is.
    const closed = new Promise((resolve) => client.once('close', resolve))
    expect(await read(client, 7)).toBe('0123456')
    await closed
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

  it('says what is wrong with a port', async () => {
    await expect(chaosProxy({ port: 0 })).rejects.toThrow('expected that of the real server, 1 to 65535, came 0')
  })
})
