import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { BareClient, type BareMessage } from '../support/bare-client.js'
import { type Example, startExample } from '../support/example.js'

const FRIEND = '5d1328295793f14020a979d5'
const JEFFERY = '5d1327c65793f14020a979ca'
const TESTUSER = '5d1328065793f14020a979cf'

const data = mkdtempSync(join(tmpdir(), 'kithwire-hostile-'))
let server: Example
let jeffery: BareClient
let testuser: BareClient

beforeAll(async () => {
  server = await startExample('article', { DATA: data })
})
afterAll(async () => {
  expect(await server.stop()).toEqual({ code: 0, signal: null })
  rmSync(data, { recursive: true, force: true })
})
beforeEach(async () => {
  jeffery = await connect(JEFFERY)
  testuser = await connect(TESTUSER)
})
afterEach(async () => {
  // Nobody noticed: what the two say arrives, once each and in order, and nothing else does.
  const before = jeffery.received.length
  const said = Array.from({ length: 20 }, (_, index) => `control ${index}`)
  for (const content of said) testuser.send({ friend: FRIEND, from: TESTUSER, to: JEFFERY, content, type: 'text' })
  const heard = (await jeffery.atLeast(before + said.length)).slice(before)
  expect(heard.map(({ content }) => content)).toEqual(said)
  expect(jeffery.received.length).toBe(before + said.length)
  await Promise.all([jeffery.close(), testuser.close()])
})

const connect = (user: string) => BareClient.open(`${server.address.replace('http', 'ws')}/ws/${user}`)
const history = async (): Promise<BareMessage[]> =>
  (await fetch(`${server.address}/messages/${JEFFERY}?friendId=${FRIEND}`)).json() as Promise<BareMessage[]>

const VALID = { friend: FRIEND, from: TESTUSER, to: JEFFERY, content: 'x', type: 'text' }

/** Sends from a socket of testuser's and then something valid behind it, so that what is before has been dealt with. */
async function sends(...frames: (string | Buffer)[]): Promise<void> {
  const before = await history()
  const attacker = await connect(TESTUSER)
  for (const frame of frames) attacker.socket.send(frame)
  attacker.send({ ...VALID, content: 'behind it' })
  expect(await jeffery.atLeast(1)).toMatchObject([{ content: 'behind it', from: TESTUSER }])
  expect(await history()).toEqual([...before, jeffery.received[0]])
  expect(attacker.received).toEqual([])
  await attacker.close()
}

describe('what a stranger sends, nobody else notices', () => {
  it.each([
    ['nothing', ''],
    ['garbage', '\u0000\u0001not JSON'],
    ['a number', '1'],
    ['null', 'null'],
    ['an array', '[]'],
    ['30,000 nested arrays', `{"friend":${'['.repeat(30_000)}${']'.repeat(30_000)}}`],
    ['an object as content', JSON.stringify({ ...VALID, content: { $gt: '' } })],
    ['an operator as friend', JSON.stringify({ ...VALID, friend: { $ne: null } })],
    ['an unknown friend', JSON.stringify({ ...VALID, friend: 'ffffffffffffffffffffffff' })],
    ['a friend that is no id', JSON.stringify({ ...VALID, friend: '../../etc/passwd' })],
    ['a receiver who is a stranger', JSON.stringify({ ...VALID, to: 'somebody' })],
    ['a message to oneself', JSON.stringify({ ...VALID, to: TESTUSER })],
    ['an unknown type', JSON.stringify({ ...VALID, type: 'script' })],
    ['__proto__', `{"__proto__":{"admin":true},"friend":"${FRIEND}"}`],
    ['an envelope of the other protocol', '{"v":1,"t":"hello","device":"aaaaaaaaaaaaaaaaaaaaaa","attempt":1}'],
  ])('%s is dropped', (_, text) => sends(text))

  it('a forged `from` is overwritten', async () => {
    const attacker = await connect(TESTUSER)
    attacker.send({ ...VALID, from: JEFFERY, content: 'forged' })
    expect(await jeffery.atLeast(1)).toMatchObject([{ from: TESTUSER, to: JEFFERY, content: 'forged' }])
    await attacker.close()
  })

  it('a stranger neither sends nor reads', async () => {
    const before = await history()
    const stranger = await connect('stranger')
    stranger.send({ ...VALID, from: TESTUSER })
    testuser.send({ ...VALID, content: 'between friends' })
    await jeffery.atLeast(1)
    expect(await history()).toEqual([...before, expect.objectContaining({ content: 'between friends' })])
    await stranger.close()
    expect(stranger.received).toEqual([])
  })

  it.each([
    ['a frame of 200 kB', 1009, 'a'.repeat(200_000)],
    ['a binary frame', 1003, Buffer.from([1, 2, 3])],
  ])('%s closes its own socket', async (_, code, frame) => {
    const before = await history()
    const attacker = await connect(TESTUSER)
    attacker.socket.send(frame)
    expect(await attacker.closed).toBe(code)
    expect(await history()).toEqual(before)
  })

  it('a stream of garbage closes its own socket', async () => {
    const attacker = await connect(TESTUSER)
    for (let index = 0; index < 20; index++) attacker.socket.send('garbage')
    expect(await attacker.closed).toBe(1008)
  })

  it('a peer that has just closed gets it from the history', async () => {
    const before = await history()
    const gone = await connect(JEFFERY)
    gone.socket.close()
    testuser.send({ ...VALID, content: 'too late' })
    await jeffery.atLeast(1)
    await gone.closed
    const dropped = await connect(JEFFERY)
    dropped.socket.terminate()
    testuser.send({ ...VALID, content: 'too late again' })
    await jeffery.atLeast(2)
    const late = ['too late', 'too late again']
    expect((await history()).slice(before.length).map(({ content }) => content)).toEqual(late)
  })
})
