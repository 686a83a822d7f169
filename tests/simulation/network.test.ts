import type { SocketLike } from '@kithwire/protocol'
import { FakeClock, SeededRandom } from '@kithwire/protocol/testing'
import { describe, expect, it } from 'vitest'
import { Network, type Wiretap } from './network.js'
import { Process } from './process.js'

const nobody = () => {}
const tap: Wiretap = {
  opened: nobody,
  clientSent: nobody,
  serverSent: nobody,
  clientGot: nobody,
  serverClosed: nobody,
  clientClosed: nobody,
}

function world(seed = 1) {
  const clock = new FakeClock({ seed })
  const network = new Network(clock, new SeededRandom(seed), tap)
  const crash = (_process: Process, error: unknown) => {
    throw error
  }
  const server = new Process('server', clock, new SeededRandom(2), crash)
  const client = new Process('client', clock, new SeededRandom(3), crash)
  const log: string[] = []
  let accepted: SocketLike | undefined
  network.listeners.push({
    process: server,
    accept: (socket) => {
      accepted = socket
      socket.listen({
        message: (text) => log.push(`server got ${text}`),
        close: (code) => log.push(`server closed ${code}`),
      })
    },
  })
  const socket = network.factory(client, 'host')('ws://sim/ws/ann', ['kithwire.v1'])
  socket.listen({
    open: () => log.push('client open'),
    message: (text) => log.push(`client got ${text}`),
    close: (code) => log.push(`client closed ${code}`),
  })
  return { clock, network, server, client, socket, log, accepted: () => accepted! }
}

describe('the simulated network', () => {
  it('keeps the order of frames, whatever each takes', async () => {
    const { clock, socket, log } = world()
    await clock.advance(1_000)
    for (let index = 0; index < 50; index++) socket.send(String(index))
    await clock.advance(1_000)
    expect(log).toEqual(['client open', ...Array.from({ length: 50 }, (_, index) => `server got ${index}`)])
  })

  it('refuses a connection where nobody listens', async () => {
    const { clock, network, log } = world()
    network.listeners.length = 0
    await clock.advance(1_000)
    expect(log).toEqual(['client closed 1006'])
    expect(network.links.size).toBe(0)
  })

  it('loses the half-written frame with the connection, and keeps what was before it', async () => {
    const { clock, network, socket, log } = world()
    await clock.advance(1_000)
    socket.send('whole')
    network.open()[0]!.cutNext('up')
    socket.send('half')
    socket.send('late')
    await clock.advance(1_000)
    expect(log.sort()).toEqual(['client closed 1006', 'client open', 'server closed 1006', 'server got whole'])
  })

  it('tells nobody of a direction that is silently dead, until it is healed', async () => {
    const { clock, network, socket, log, accepted } = world()
    await clock.advance(1_000)
    network.open()[0]!.silence('up')
    socket.send('lost')
    accepted().send('arrives')
    await clock.advance(120_000)
    expect(log).toEqual(['client open', 'client got arrives'])
    network.heal()
    await clock.advance(1_000)
    expect(log.slice(2).sort()).toEqual(['client closed 1006', 'server closed 1006'])
  })

  it('gives up a closing handshake that nobody answers', async () => {
    const { clock, network, socket, log } = world()
    await clock.advance(1_000)
    network.open()[0]!.silence('up')
    socket.close(1000)
    await clock.advance(29_000)
    expect(log).toEqual(['client open'])
    await clock.advance(2_000)
    expect(log).toEqual(['client open', 'client closed 1006'])
  })

  it('reports the code of a close to both ends', async () => {
    const { clock, socket, log } = world()
    await clock.advance(1_000)
    socket.close(4003)
    await clock.advance(1_000)
    expect(log).toEqual(['client open', 'server closed 4003', 'client closed 4003'])
  })

  it('breaks the sockets of a killed process, and runs nothing of it any more', async () => {
    const { clock, server, log } = world()
    await clock.advance(1_000)
    server.setTimer(() => log.push('ghost'), 10)
    server.kill()
    await clock.advance(1_000)
    expect(log).toEqual(['client open', 'client closed 1006'])
    expect(server.pendingTimers).toBe(0)
  })

  it('holds back what a paused process gets, which runs its timers before it reads', async () => {
    const { clock, server, socket, log } = world()
    await clock.advance(1_000)
    server.pause(5_000)
    for (const text of ['a', 'b', 'c']) socket.send(text)
    server.setTimer(() => log.push('timer'), 3_000)
    await clock.advance(4_000)
    expect(log).toEqual(['client open'])
    await clock.advance(2_000)
    expect(log).toEqual(['client open', 'timer', 'server got a', 'server got b', 'server got c'])
  })

  it('leaves in the process what the network does not take', async () => {
    const { clock, network, accepted } = world()
    await clock.advance(1_000)
    network.open()[0]!.silence('down')
    for (let index = 0; index < 10; index++) accepted().send('x'.repeat(10_000))
    expect(accepted().bufferedAmount).toBe(60_000)
  })
})
