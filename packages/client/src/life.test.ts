import { CLOSE_CODES, closeCode } from '@kithwire/protocol'
import { DeviceClock } from '@kithwire/protocol/testing'
import { expect, it } from 'vitest'
import { MemoryClientStore, type Wakeup, type WsRequestOptions } from './index.js'
import { type Peer, Script } from './testing/script.js'

const HOUR = 3_600_000

/** A client on a device that may sleep or be hidden. */
function onDevice(options: WsRequestOptions = {}) {
  const script = new Script()
  const device = new DeviceClock(script.clock)
  let ring: (why: Wakeup) => void = () => {}
  const wakeups = {
    listen(wake: (why: Wakeup) => void) {
      ring = wake
      return () => {}
    },
  }
  const client = script.client({ runtime: device, wakeups, ...options })
  return { script, device, client, ring: (why: Wakeup) => ring(why) }
}

/** The server sends heartbeats, as to an idle socket. */
async function beat(script: Script, peer: Peer, ms: number) {
  for (let time = 0; time < ms; time += 25_000) {
    await script.clock.advance(25_000)
    peer.send({ t: 'heartbeat', now: script.clock.now() })
  }
}

it('wakes up from an hour of sleep to a dead connection: another one within 4 s', async () => {
  const { script, device, client, ring } = onDevice()
  const peer = await script.online()
  device.sleep()
  peer.socket.cut()
  await script.clock.advance(HOUR)
  expect(script.peers).toHaveLength(1)
  device.wake()
  ring('visible')
  await script.peer(1, 4_000)
  await script.online([], 1)
  expect(client.state).toBe('online')
})

it('wakes up to a connection that lives, and keeps it', async () => {
  const { script, device, client, ring } = onDevice()
  const peer = await script.online()
  device.sleep()
  peer.client.stalled = true
  await beat(script, peer, HOUR)
  device.wake()
  ring('visible')
  peer.client.stalled = false
  peer.send({ t: 'pong', re: (await peer.next('ping')).n })
  await beat(script, peer, HOUR)
  expect([client.state, script.peers.length]).toEqual(['online', 1])
})

it('notices by itself that it slept, where no event says so', async () => {
  const { script, device } = onDevice()
  const peer = await script.online()
  await script.clock.advance(20_000)
  device.sleep()
  peer.socket.cut()
  await script.clock.advance(HOUR)
  device.wake()
  // What was left of its patience, and the probe.
  await script.peer(1, 55_000 + 3_000 + 1_000)
})

it('tries at once when it wakes up while it waits for the next try', async () => {
  const { script, device, ring } = onDevice()
  for (let index = 0; index < 9; index++) (await script.peer(index)).socket.close(1006)
  await script.clock.advance(1)
  device.sleep()
  await script.clock.advance(HOUR)
  device.wake()
  ring('visible')
  await script.peer(9, 100)
})

it('a hidden page, whose timers run once a minute, keeps its connection and notices when it is dead', async () => {
  const { script, device, client } = onDevice()
  device.hidden = true
  const peer = await script.online()
  await beat(script, peer, 600_000)
  expect([client.state, script.peers.length, peer.of('ping').length]).toEqual(['online', 1, 0])
  peer.socket.cut()
  await script.peer(1, 5 * 60_000)
})

it('a network that lets connect and then answers nonsense is not the server: it tries again, and says why', async () => {
  const { script, client } = onDevice()
  const peer = await script.peer(0)
  await peer.next('hello')
  peer.socket.send('<html>Please sign in to the hotel’s network</html>')
  await script.clock.advance(14_000)
  expect(client.state).toBe('greeting')
  expect(script.errors).toMatchObject([{ code: 'protocol_violation' }])
  await script.online([], 1)
  expect(client.state).toBe('online')
})

it('a network that swallows everything is given up after 15 s, again and again, until it is gone', async () => {
  const { script, client } = onDevice()
  for (let index = 0; index < 5; index++) (await script.peer(index, 40_000)).socket.cut()
  await script.online([], 5)
  expect(client.state).toBe('online')
})

it.each(
  Object.keys(CLOSE_CODES)
    .map(Number)
    .filter((code) => code !== 1000),
)('close %i: comes back, or stops with an error that has a code', async (code) => {
  const { script, client } = onDevice()
  const peer = await script.online()
  const connected = client.connected()
  peer.socket.close(code, 'because')
  await script.clock.advance(0)
  const { reconnect, wait = [0, 20_000] } = closeCode(code)
  await connected
  if (reconnect) {
    const before = script.clock.monotonic()
    await script.peer(1, wait[1] + 20_000)
    expect(script.clock.monotonic() - before).toBeGreaterThanOrEqual(wait[0])
    return
  }
  await script.clock.advance(24 * HOUR)
  expect([client.state, script.peers.length, script.errors.length]).toEqual(['stopped', 1, 1])
  const [error] = script.errors
  expect(error!.code).toMatch(/^(unauthorized|forbidden|unsupported_version|too_many_connections|protocol_violation)$/)
  await expect(client.connected()).rejects.toBe(error)
})

it('signs in as somebody else on the same client, in band, and by newer credentials than those that were refused', async () => {
  const { script, client } = onDevice({ token: 'ann', store: () => new MemoryClientStore() })
  const first = await script.online()
  client.authenticate('ben')
  expect((await first.next('auth')).token).toBe('ben')
  // The server's answer to a token of another user.
  first.socket.close(4501, 'a token of another user')
  const second = await script.online([], 1, { user: 'ben' })
  expect(second.protocols[1]).toBe('kithwire.bearer.YmVu')
  const third = await script.online([], 2, { user: 'ben' })
  expect([client.user, client.state, script.errors]).toEqual(['ben', 'online', []])
  third.socket.close(1006)
  const fourth = await script.peer(3)
  await fourth.next('hello')
  client.authenticate('newer')
  fourth.socket.close(4501)
  const fifth = await script.online([], 4, { user: 'ben' })
  expect(client.state).toBe('online')
  fifth.socket.close(4501)
  await script.clock.advance(HOUR)
  expect([client.state, script.peers.length]).toEqual(['stopped', 5])
  expect(script.errors).toMatchObject([{ code: 'unauthorized' }])
})

it('connects anew where the credentials are cookies, which no frame can carry', async () => {
  const { script, client } = onDevice()
  const first = await script.online()
  client.authenticate(undefined)
  await script.online([], 1)
  expect([client.state, first.closed, script.errors]).toEqual(['online', 1000, []])
})
