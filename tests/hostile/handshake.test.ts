import { connect } from 'node:net'
import { describe, expect, it } from 'vitest'
import { cleanup, serveChat } from '../integration/serve.js'
import { controlPair, handshake, peer, raw, status } from '../integration/sockets.js'

const legacy = { 'x-user': 'ann' }
const v1 = { 'Sec-WebSocket-Protocol': 'kithwire.v1', 'x-user': 'ann' }
const many = (count: number, make: (index: number) => string) =>
  Array.from({ length: count }, (_, index) => make(index))

/** Each: a name, the request, and the status of the answer. */
const refused: [name: string, request: string, expected: number | number[]][] = [
  ['H2 POST', handshake('/chat/ws', v1, 'POST'), 405],
  ['H2 PUT', handshake('/ws/ann', legacy, 'PUT'), 405],
  ['H3 Upgrade: h2c', handshake('/chat/ws', { ...v1, Upgrade: 'h2c' }), 400],
  ['H3 two upgrades', handshake('/chat/ws', { ...v1, Upgrade: 'websocket, h2c' }), 400],
  ['H6 3-byte key', handshake('/chat/ws', { ...v1, 'Sec-WebSocket-Key': 'YWJj' }), 400],
  ['H6 no key', handshake('/chat/ws', { ...v1, 'Sec-WebSocket-Key': undefined }), 400],
  ['H6 two keys', handshake('/chat/ws', { ...v1, 'Sec-WebSocket-Key': ['dGhlIHNhbXBsZSBub25jZQ==', 'YWJj'] }), 400],
  ['H7 version 99', handshake('/chat/ws', { ...v1, 'Sec-WebSocket-Version': '99' }), 400],
  ['H8 no version', handshake('/chat/ws', { ...v1, 'Sec-WebSocket-Version': undefined }), 400],
  ['H10 3,000 headers', handshake('/chat/ws', { ...v1, a: many(3_000, () => 'b') }), 431],
  ['H10 1,000 short headers', handshake('/chat/ws', { ...v1, a: many(1_000, () => '') }), 431],
  ['H11 20 KB header', handshake('/chat/ws', { ...v1, 'x-large': 'x'.repeat(20_000) }), 431],
  ['H14 100 k-char URL', handshake(`/chat/ws?${'x'.repeat(100_000)}`, v1), [431, 414]],
  ['H14 10 k-char URL', handshake(`/chat/ws?${'x'.repeat(10_000)}`, v1), [431, 414]],
  ['H15 /ws/../admin', handshake('/ws/../admin', legacy), 404],
  ['H15 /ws/..', handshake('/ws/..', legacy), 404],
  ['H16 /ws/%2e%2e%2f', handshake('/ws/%2e%2e%2f', legacy), 404],
  ['H16 /ws/%2e%2e', handshake('/ws/%2e%2e', legacy), 404],
  ['H17 /ws/%00', handshake('/ws/%00', legacy), 400],
  ['H17 /ws/%ff', handshake('/ws/%ff', legacy), 400],
  ['H17 /ws/%', handshake('/ws/%', legacy), 400],
  ['H18 /ws/', handshake('/ws/', legacy), 404],
  ['H18 /ws', handshake('/ws', legacy), 404],
  ['H20 protocol "a b"', handshake('/chat/ws', { ...v1, 'Sec-WebSocket-Protocol': 'a b' }), 400],
  ['H20 empty protocol', handshake('/chat/ws', { ...v1, 'Sec-WebSocket-Protocol': '' }), 400],
  ['H20 duplicate', handshake('/chat/ws', { ...v1, 'Sec-WebSocket-Protocol': 'kithwire.v1, kithwire.v1' }), 400],
  ['H20 two headers', handshake('/chat/ws', { ...v1, 'Sec-WebSocket-Protocol': ['kithwire.v1', 'kithwire.v1'] }), 400],
  [
    'H20 broken bearer',
    handshake('/chat/ws', { ...v1, 'Sec-WebSocket-Protocol': 'kithwire.v1, kithwire.bearer.~' }),
    400,
  ],
  [
    'H21 10,000 protocols',
    handshake('/chat/ws', { 'Sec-WebSocket-Protocol': many(10_000, (i) => `p${i}`).join() }),
    431,
  ],
  ['H21 1,000 protocols', handshake('/chat/ws', { 'Sec-WebSocket-Protocol': many(1_000, (i) => `p${i}`).join() }), 400],
  ['H22 unknown protocol', handshake('/chat/ws', { ...v1, 'Sec-WebSocket-Protocol': 'kithwire.v9' }), 400],
  [
    'H26 Content-Length and Transfer-Encoding',
    handshake('/chat/ws', { ...v1, 'Content-Length': '5', 'Transfer-Encoding': 'chunked' }, 'POST'),
    400,
  ],
  ['HTTP/1.0', handshake('/chat/ws', v1).replace('HTTP/1.1', 'HTTP/1.0'), 400],
  ['HTTP/2.0', handshake('/chat/ws', v1).replace('HTTP/1.1', 'HTTP/2.0'), 400],
  ['no host', handshake('/chat/ws', { ...v1, Host: undefined }), 400],
  ['U19 Host: a b', handshake('/chat/ws', { ...v1, Host: 'a b' }), 400],
  ['two hosts', handshake('/chat/ws', { ...v1, Host: ['localhost', 'evil.com'] }), 400],
  ['no subprotocol where no id is in the path', handshake('/chat/ws', legacy), 426],
]

describe('a hostile handshake', () => {
  it.each(refused)('%s', async (_name, request, expected) => {
    const { port, friendship, chat } = await serveChat()
    const control = await controlPair(port, friendship)
    const answer = await raw(port, request)
    expect([expected].flat()).toContain(status(answer))
    expect(await control.check()).toEqual(control.expected)
    expect(chat.connections()).toBe(2)
  })

  it('H7 names the versions it knows', async () => {
    const { port } = await serveChat()
    const answer = await raw(port, handshake('/chat/ws', { ...v1, 'Sec-WebSocket-Version': '99' }))
    expect(answer).toMatch(/^Sec-WebSocket-Version: 13, 8\r$/m)
  })

  it('H22 names the subprotocol it knows', async () => {
    const { port } = await serveChat()
    expect(await raw(port, handshake('/chat/ws', { 'Sec-WebSocket-Protocol': 'other' }))).toContain('kithwire.v1')
  })

  it.each([
    ['H1 GET', handshake('/chat/ws', { Upgrade: undefined, Connection: 'close' }), 426],
    ['H4 no Connection: Upgrade', handshake('/chat/ws', { Connection: 'close' }), 426],
    ['H2 POST', handshake('/chat/ws', { Upgrade: undefined, Connection: 'close' }, 'POST'), 405],
    ['GET with an id', handshake('/ws/ann', { Upgrade: undefined, Connection: 'close' }), 426],
  ])('%s, which is no upgrade', async (_name, request, expected) => {
    const { port, friendship } = await serveChat()
    const control = await controlPair(port, friendship)
    const answer = await raw(port, request)
    expect(status(answer)).toBe(expected)
    expect(answer).toMatch(expected === 426 ? /^Upgrade: websocket\r$/im : /^Allow: GET\r$/im)
    expect(await control.check()).toEqual(control.expected)
  })

  it.each([
    ['H23 broken extension', ';;;'],
    ['H24 absurd window bits', 'permessage-deflate; client_max_window_bits=99'],
    ['H24 deflate', 'permessage-deflate'],
  ])('%s is not negotiated', async (_name, extension) => {
    const { port, friendship } = await serveChat()
    const control = await controlPair(port, friendship)
    const socket = connect(port, '127.0.0.1')
    cleanup(() => socket.destroy())
    socket.write(handshake('/chat/ws', { ...v1, 'Sec-WebSocket-Extensions': extension }))
    const answer = await new Promise<string>((resolve) => socket.once('data', (chunk) => resolve(String(chunk))))
    expect(answer).not.toMatch(/sec-websocket-extensions/i)
    expect([101, 400]).toContain(status(answer))
    expect(await control.check()).toEqual(control.expected)
  })

  it('never echoes the bearer', async () => {
    const { port } = await serveChat()
    const client = peer(`ws://127.0.0.1:${port}/chat/ws`, { protocols: ['kithwire.bearer.YW5u', 'kithwire.v1'] })
    await client.opened
    expect(client.socket.protocol).toBe('kithwire.v1')
    expect((await client.hello()).user).toBe('ann')
  })

  it('survives a client that resets while it is asked who it is', async () => {
    let asked = () => {}
    let answer = (_user: string | null) => {}
    const reached = new Promise<void>((resolve) => {
      asked = resolve
    })
    const { port, chat, friendship } = await serveChat({
      authenticate: (request) => {
        if (request.headers['x-user'] !== 'slow') return request.headers['x-user'] as string
        asked()
        return new Promise((resolve) => {
          answer = resolve
        })
      },
    })
    const control = await controlPair(port, friendship)
    const socket = connect(port, '127.0.0.1')
    socket.write(handshake('/chat/ws', { ...v1, 'x-user': 'slow' }))
    await reached
    socket.resetAndDestroy()
    await new Promise((resolve) => socket.once('close', resolve))
    expect(await control.check()).toEqual(control.expected)
    answer('slow')
    expect(await control.check()).toEqual(control.expected)
    expect(chat.connections()).toBe(2)
  })
})
