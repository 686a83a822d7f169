import { afterEach, expect, it } from 'vitest'
import type { Wakeup, Wakeups } from './index.js'
import { MemoryClientStore } from './index.js'
import { entry, head, Script } from './testing/script.js'

let script = new Script()
afterEach(() => {
  script = new Script()
})

class Bell implements Wakeups {
  private wakes = new Set<(why: Wakeup) => void>()
  listen(wake: (why: Wakeup) => void) {
    this.wakes.add(wake)
    return () => void this.wakes.delete(wake)
  }
  ring(why: Wakeup) {
    for (const wake of this.wakes) wake(why)
  }
  get listeners() {
    return this.wakes.size
  }
}

it('waits longer and longer, up to 20 s, for a server that is not there', async () => {
  script.client()
  const times: number[] = []
  for (let index = 0; index < 30; index++) {
    const peer = await script.peer(index)
    times.push(script.clock.monotonic())
    peer.socket.close(1006)
  }
  const waits = times.slice(1).map((time, index) => time - times[index]!)
  for (const [index, wait] of waits.entries()) expect(wait).toBeLessThanOrEqual(Math.min(20_000, 500 * 2 ** index))
  expect(Math.max(...waits)).toBeGreaterThan(10_000)
})

it('asks for a token before each connect', async () => {
  let asked = 0
  script.client({ token: () => `t${++asked}` })
  const first = await script.peer(0)
  first.socket.close(1006)
  const second = await script.peer(1)
  expect(first.protocols[1]).not.toBe(second.protocols[1])
})

it('tells of a token function that throws, and tries again', async () => {
  let asked = 0
  script.client({
    token: () => {
      if (++asked === 1) throw new Error('no network')
      return 'token'
    },
  })
  await script.peer(0)
  expect(script.errors).toMatchObject([{ code: 'internal', cause: { message: 'no network' } }])
})

it('gives up a socket that does not open, and one that is not welcomed', async () => {
  const client = script.client({ connectTimeoutMs: 5_000 })
  const first = await script.peer(0)
  first.socket.cut()
  const second = await script.peer(1, 10_000)
  await second.next('hello')
  await script.peer(2, 10_000)
  expect(client.state).toBe('connecting')
})

it('stops at 4501 until it has new credentials', async () => {
  const client = script.client({ token: 'old' })
  const first = await script.peer(0)
  await first.next('hello')
  first.socket.close(4501, 'unauthorized')
  await script.clock.advance(120_000)
  expect(client.state).toBe('stopped')
  expect(script.errors).toMatchObject([{ code: 'unauthorized' }])
  await expect(client.connected()).rejects.toMatchObject({ code: 'unauthorized' })
  client.authenticate('new')
  const second = await script.online([], 1)
  expect(second.protocols[1]).toBe('kithwire.bearer.bmV3')
  expect(client.state).toBe('online')
})

it('answers `token_expired` with a new token on the same socket', async () => {
  let asked = 0
  const client = script.client({ token: () => `t${++asked}` })
  const peer = await script.online()
  peer.send({ t: 'error', code: 'token_expired', message: '', fatal: false })
  const auth = await peer.next('auth')
  expect(auth.token).toBe('t2')
  peer.send({ t: 'auth', re: auth.n, expires: 5 })
  await script.clock.advance(0)
  expect(client.state).toBe('online')
  client.authenticate('mine')
  expect((await peer.next('auth')).token).toBe('mine')
})

it('names no epoch after 4010', async () => {
  script.client()
  const first = await script.online()
  first.socket.close(4010)
  const hello = await (await script.peer(1)).next('hello')
  expect(hello.epoch).toBeUndefined()
  script.peers[1]!.welcome([], { epoch: 'other' })
  await script.clock.advance(0)
  script.peers[1]!.socket.close(1001)
  expect((await (await script.peer(2)).next('hello')).epoch).toBe('other')
})

it('ignores every event of a socket that is not the current one', async () => {
  const client = script.client({ connectTimeoutMs: 5_000 })
  const seen: number[] = []
  client.onMessage((message) => void seen.push(message.seq))
  const first = await script.peer(0)
  // Given up for want of a welcome; then everything that it could still say arrives late.
  first.client.terminate = () => {}
  await first.next('hello')
  const second = await script.online([head(0)], 1)
  first.welcome([head(3)], { user: 'ben' })
  first.send({ t: 'messages', conversation: 'c', items: [entry(1)] })
  first.socket.close(4501)
  await script.clock.advance(20_000)
  expect(client.state).toBe('online')
  expect(second.closed).toBeUndefined()
  expect(seen).toEqual([])
})

it('reconnects after 2.2 heartbeats of silence, and not while heartbeats come', async () => {
  const client = script.client()
  const peer = await script.online()
  for (let beat = 0; beat < 4; beat++) {
    await script.clock.advance(25_000)
    peer.send({ t: 'heartbeat', now: 1 })
  }
  await script.clock.advance(54_000)
  expect(client.state).toBe('online')
  await script.clock.advance(1_100)
  expect(client.state).not.toBe('online')
  await script.peer(1)
})

it('probes after a wake-up: 3 s for a pong, then another socket', async () => {
  const bell = new Bell()
  const client = script.client({ wakeups: bell })
  const peer = await script.online()
  bell.ring('visible')
  peer.send({ t: 'pong', re: (await peer.next('ping')).n })
  await script.clock.advance(10_000)
  expect(client.state).toBe('online')
  bell.ring('online')
  await peer.next('ping')
  await script.clock.advance(3_000)
  expect(client.state).not.toBe('online')
  await client.close()
  expect(bell.listeners).toBe(0)
})

it('heartbeat() resolves with the round trip, or rejects', async () => {
  const client = script.client()
  await expect(client.heartbeat()).rejects.toMatchObject({ code: 'bad_state' })
  const peer = await script.online()
  const probe = client.heartbeat()
  const { n } = await peer.next('ping')
  await script.clock.advance(40)
  peer.send({ t: 'pong', re: n })
  await script.clock.advance(0)
  expect(await probe).toBe(40)
  const failing = client.heartbeat()
  failing.catch(() => {})
  await script.clock.advance(3_000)
  await expect(failing).rejects.toMatchObject({ code: 'unknown_outcome' })
})

it('comes back within a second when the network does', async () => {
  const bell = new Bell()
  script.client({ wakeups: bell })
  for (let index = 0; index < 8; index++) (await script.peer(index)).socket.close(1006)
  await script.clock.advance(0)
  bell.ring('online')
  await script.peer(8, 1_000)
})

it('takes a new device id at the second 4009 while no other client of its store connects', async () => {
  script.client({ store: new MemoryClientStore() })
  const devices: string[] = []
  const start = script.clock.monotonic()
  for (let index = 0; index < 3; index++) {
    const peer = await script.peer(index)
    devices.push((await peer.next('hello')).device)
    peer.welcome()
    await script.clock.advance(0)
    peer.socket.close(4009)
  }
  expect(script.clock.monotonic() - start).toBeGreaterThan(10_000)
  expect(devices[1]).toBe(devices[0])
  expect(devices[2]).not.toBe(devices[0])
})

it('moves within the spread of a drain, and sends nothing new meanwhile', async () => {
  const client = script.client()
  const first = await script.online([head(0)])
  first.send({ t: 'drain', spread: 5_000 })
  await script.clock.advance(0)
  void client.send({ conversation: 'c', content: 'later' })
  const second = await script.peer(1, 5_001)
  expect(first.of('send')).toEqual([])
  await second.next('hello')
  second.welcome([head(0)])
  await second.next('send')
})

it('stops, without a bare 1006, at a server of another protocol', async () => {
  script.protocol = ''
  const client = script.client()
  await script.peer(0)
  await script.clock.advance(0)
  expect(client.state).toBe('stopped')
  expect(script.errors).toMatchObject([{ code: 'unsupported_version' }])
})

it('leaves no timer, listener or promise behind', async () => {
  const client = script.client()
  const peer = await script.online([head(3)])
  const sent = client.send({ conversation: 'c', content: 'x' })
  const connected = client.history('c')
  await peer.next('send')
  const closed = client.close()
  await expect(sent).rejects.toMatchObject({ code: 'closed' })
  await expect(connected).rejects.toMatchObject({ code: 'closed' })
  await closed
  await script.clock.advance(0)
  expect(script.clock.pending).toBe(0)
  expect(() => client.connect()).toThrow(expect.objectContaining({ code: 'bad_state' }))
  await expect(client.send({ conversation: 'c', content: 'x' })).rejects.toMatchObject({ code: 'closed' })
})
