import { connect } from 'node:net'
import { describe, expect, it } from 'vitest'
import { hosts } from '../integration/hosts.js'
import { call } from '../integration/http-client.js'
import { cleanup, listen, makeChat, serveChat } from '../integration/serve.js'
import { controlPair, raw, status } from '../integration/sockets.js'

const queries: [name: string, path: string, expected: number][] = [
  ['U1 friendId[$ne]=x', '/messages?friendId[$ne]=x', 400],
  ['U1 escaped', '/messages?friendId%5B%24ne%5D=x', 400],
  ['U1 beside a good one', '/messages?friendId=FRIEND&friendId[$ne]=x', 400],
  ['U1 friendId.$ne=x', '/messages?friendId.$ne=x', 400],
  ['U1 friendId[constructor]=x', '/messages?friendId[constructor]=x', 400],
  ['U2 friendId[]=a&friendId[]=b', '/messages?friendId[]=a&friendId[]=b', 400],
  ['U2 twice', '/messages?friendId=FRIEND&friendId=FRIEND', 400],
  ['no friendId', '/messages', 400],
  ['empty friendId', '/messages?friendId=', 400],
  ['U3 unknown friendId', '/messages?friendId=5d1328295793f14020a979d5', 404],
  ['U3 __proto__', '/messages?friendId=__proto__', 404],
  ['U3 constructor', '/conversations/constructor/messages', 404],
  ['limit of 0', '/messages?friendId=FRIEND&limit=0', 400],
  ['limit of -1', '/messages?friendId=FRIEND&limit=-1', 400],
  ['limit of 1e3', '/messages?friendId=FRIEND&limit=1e3', 400],
  ['limit of 10^9, which is clamped', '/messages?friendId=FRIEND&limit=1000000000', 200],
  ['before of 2^53', '/messages?friendId=FRIEND&before=9007199254740992', 400],
  ['before[$gt]', '/messages?friendId=FRIEND&before[$gt]=0', 400],
  ['before and after', '/conversations/FRIEND/messages?before=1&after=1', 400],
  ['after of NaN', '/conversations/FRIEND/messages?after=NaN', 400],
  ['a broken escape', '/messages?friendId=%ff%', 400],
  ['an id with a slash', '/conversations/a%2Fb/messages', 404],
  ['an id of ..', '/conversations/../messages', 404],
  ['an id of 100 characters', `/conversations/${'x'.repeat(100)}/messages`, 404],
]

describe.each(hosts)('a hostile request on $name', ({ serve }) => {
  const start = async () => {
    const { chat, friendship } = await makeChat()
    const server = serve(chat)
    chat.attach(server, '/chat/ws')
    const port = await listen(server)
    return { chat, friendship, port, control: await controlPair(port, friendship) }
  }

  it('in the query', async () => {
    const { port, friendship, control } = await start()
    for (const [name, path, expected] of queries) {
      const answer = await call(port, 'GET', `/chat${path.replaceAll('FRIEND', friendship)}`, { user: 'ann' })
      expect([name, answer.status]).toEqual([name, expected])
    }
    expect(await control.check()).toEqual(control.expected)
  })

  it('in the body', async () => {
    const { port, control, chat } = await start()
    const deep = `${'{"user":'.repeat(1_500)}1${'}'.repeat(1_500)}`
    const bodies: [name: string, body: string, expected: number[]][] = [
      ['not JSON', '{', [400]],
      ['empty', '', [400]],
      ['null', 'null', [400]],
      ['array', '[]', [400]],
      ['string', '"ben"', [400]],
      ['no user', '{}', [400]],
      ['operator', '{"user":{"$ne":null}}', [400]],
      ['number', '{"user":5}', [400]],
      ['empty user', '{"user":""}', [400]],
      ['A5 oneself', '{"user":"ann"}', [400]],
      ['__proto__', '{"__proto__":{"user":"cyd"}}', [400]],
      ['U21 5,000 characters', JSON.stringify({ user: 'x'.repeat(5_000) }), [400]],
      ['U21 NUL', '{"user":"a\\u0000b"}', [400]],
      ['U21 newline', '{"user":"a\\nb"}', [400]],
      ['U21 lone surrogate', '{"user":"\\ud800"}', [400]],
      ['U21 deep', deep, [400]],
      ['U4 with from and _id', '{"user":"cyd","from":"ben","_id":"x","state":"accepted"}', [200]],
      ['too large', JSON.stringify({ user: 'x'.repeat(200_000) }), [413, 400]],
    ]
    for (const [name, body, expected] of bodies) {
      const answer = await call(port, 'POST', '/chat/friendships', { user: 'ann', body })
      expect([name, expected.includes(answer.status), answer.status]).toEqual([name, true, answer.status])
    }
    expect(({} as { user?: string }).user).toBeUndefined()
    const rows = await chat.friendships.list('ann', { all: true })
    expect(rows.map(({ user, state, requester }) => [user, state, requester])).toEqual([
      ['ben', 'accepted', 'ann'],
      ['cyd', 'pending', 'ann'],
    ])
    expect(await control.check()).toEqual(control.expected)
  })
})

describe('a hostile HTTP request', () => {
  it.each([
    ['U4 POST /messages', 'POST /messages', '', 405],
    ['U18 TRACE', 'TRACE /friendships', '', 405],
    ['OPTIONS', 'OPTIONS /friendships', '', 405],
    ['U19 Host: a b', 'GET /friendships', 'Host: a b', 400],
    ['U17 GET with a body', 'GET /friendships', 'Host: a\r\nContent-Length: 5\r\n\r\nhello', 200],
    [
      'a body of 1 GB',
      'POST /friendships',
      'Host: a\r\nContent-Type: application/json\r\nContent-Length: 1000000000',
      413,
    ],
    [
      'endless chunks',
      'POST /friendships',
      `Host: a\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n${`4000\r\n${'x'.repeat(16_384)}\r\n`.repeat(2)}`,
      413,
    ],
  ])('%s', async (_name, line, rest, expected) => {
    const { port, friendship } = await serveChat()
    const control = await controlPair(port, friendship)
    const head = `${line} HTTP/1.1\r\nx-user: ann\r\nConnection: close\r\n`
    expect(status(await raw(port, `${head}${rest || 'Host: a'}\r\n\r\n`))).toBe(expected)
    expect(await control.check()).toEqual(control.expected)
  })

  it('U20 a POST cut off in the middle of its body, 1,000 times', async () => {
    const { port, friendship, chat, server } = await serveChat()
    const control = await controlPair(port, friendship)
    const head =
      'POST /friendships HTTP/1.1\r\nHost: a\r\nx-user: ann\r\nContent-Type: application/json\r\nContent-Length: 20\r\n\r\n'
    let reached = 0
    server.on('request', () => reached++)
    const cut = () =>
      new Promise<void>((resolve) => {
        const socket = connect(port, '127.0.0.1', () => socket.write(`${head}{"user":"c`, () => socket.destroy()))
        cleanup(() => socket.destroy())
        socket.on('error', () => {})
        socket.on('close', () => resolve())
      })
    for (let round = 0; round < 20; round++) await Promise.all(Array.from({ length: 50 }, cut))
    expect(await control.check()).toEqual(control.expected)
    expect(reached).toBeGreaterThan(500)
    expect(await chat.friendships.list('ann', { all: true })).toHaveLength(1)
    const left = () => new Promise<number>((resolve) => server.getConnections((_error, count) => resolve(count)))
    await expect.poll(left, { timeout: 10_000 }).toBe(2)
  })

  it('U22 ids with separators make conversations of their own', async () => {
    const { port } = await serveChat()
    const ask = async (user: string, other: string) => {
      const headers = { cookie: `user=${encodeURIComponent(user)}` }
      return (await call(port, 'POST', '/friendships', { body: { user: other }, headers })).json.id as string
    }
    const pairs = [
      ['a:b', 'c'],
      ['a', 'b:c'],
      ['a/b', 'c'],
      ['a', 'b/c'],
      ['a%2Fb', 'c'],
      ['a b', 'c'],
      ['a', 'b c'],
    ] as const
    const ids: string[] = []
    for (const [one, other] of pairs) ids.push(await ask(one, other))
    expect(new Set(ids).size).toBe(pairs.length)
  })

  it('U23 a store that is down answers 503 without its words, and works again afterwards', async () => {
    let down = false
    const { chat } = await makeChat()
    const { friendships } = chat
    const { port } = await serveChat({
      friendships: {
        members: async (conversation) => {
          if (down) throw new Error('ECONNREFUSED mongodb://secret@db')
          return friendships.members(conversation)
        },
        of: async (user) => friendships.of(user),
      },
    })
    down = true
    const answer = await call(port, 'GET', '/messages?friendId=x', { user: 'ann' })
    expect([500, 503]).toContain(answer.status)
    expect(answer.text).not.toContain('secret')
    down = false
    expect((await call(port, 'GET', '/messages?friendId=x', { user: 'ann' })).status).toBe(404)
  })
})
