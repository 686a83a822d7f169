import { describe, expect, it } from 'vitest'
import { hosts } from './hosts.js'
import { call } from './http-client.js'
import { listen, makeChat, serveChat } from './serve.js'

describe.each(hosts)('HTTP on $name', ({ serve }) => {
  const start = async () => {
    const { chat, friendship } = await makeChat()
    return { chat, friendship, port: await listen(serve(chat)) }
  }

  it('makes a friendship, and serves what was said in it', async () => {
    const { port, chat } = await start()
    const asked = await call(port, 'POST', '/chat/friendships', { user: 'ann', body: { user: 'cyd' } })
    expect(asked).toMatchObject({ status: 200, json: { user: 'cyd', state: 'pending', requester: 'ann' } })
    const { id } = asked.json
    const accepted = await call(port, 'POST', `/chat/friendships/${id}/accept`, { user: 'cyd' })
    expect(accepted).toMatchObject({ status: 200, json: { id, user: 'ann', state: 'accepted' } })
    await chat.send({ from: 'ann', conversation: id, content: 'hello' })
    const page = await call(port, 'GET', `/chat/conversations/${id}/messages`, { user: 'cyd' })
    expect(page).toMatchObject({
      status: 200,
      json: { items: [{ seq: 1, from: 'ann', to: 'cyd', content: 'hello' }], head: 1, first: 1, more: false },
    })
    expect(page.headers).toMatchObject({
      'content-type': 'application/json; charset=utf-8',
      'cache-control': 'no-store',
      'x-content-type-options': 'nosniff',
    })
  })

  it('answers 401, 404 and 405 in one form', async () => {
    const { port, friendship } = await start()
    expect(await call(port, 'GET', '/chat/friendships')).toMatchObject({
      status: 401,
      json: { error: { code: 'unauthorized' } },
    })
    const strange = await call(port, 'GET', `/chat/conversations/${friendship}/messages`, { user: 'cyd' })
    const unknown = await call(port, 'GET', '/chat/conversations/unknown/messages', { user: 'cyd' })
    expect(strange).toMatchObject({ status: 404, json: { error: { code: 'not_found' } } })
    expect(unknown.text).toBe(strange.text)
    expect(await call(port, 'PUT', '/chat/friendships', { user: 'ann' })).toMatchObject({
      status: 405,
      headers: { allow: 'GET, HEAD, POST' },
      json: { error: { code: 'method_not_allowed' } },
    })
    expect((await call(port, 'GET', '/chat/nothing', { user: 'ann' })).status).toBe(404)
    expect(await call(port, 'HEAD', '/chat/friendships', { user: 'ann' })).toMatchObject({ status: 200, text: '' })
  })

  it('refuses a foreign page what changes something, and lets it send no form', async () => {
    const { port } = await start()
    const body = { user: 'cyd' }
    const foreign = { headers: { origin: 'https://evil.com' } }
    expect((await call(port, 'POST', '/chat/friendships', { user: 'ann', body, ...foreign })).status).toBe(403)
    const form = { headers: { 'content-type': 'text/plain' } }
    expect((await call(port, 'POST', '/chat/friendships', { user: 'ann', body, ...form })).status).toBe(415)
    const own = { headers: { origin: `http://127.0.0.1:${port}` } }
    expect((await call(port, 'POST', '/chat/friendships', { user: 'ann', body, ...own })).status).toBe(200)
  })
})

describe('who asks', () => {
  it('may say so by a bearer token', async () => {
    const { port } = await serveChat()
    const headers = { authorization: 'Bearer ann' }
    expect((await call(port, 'GET', '/friendships', { headers })).json).toMatchObject([{ user: 'ben' }])
  })

  it('gets 503 while that cannot be found out', async () => {
    const { port } = await serveChat({
      authenticate: () => {
        throw new Error('secret')
      },
    })
    const answer = await call(port, 'GET', '/friendships')
    expect(answer).toMatchObject({ status: 503, json: { error: { code: 'unavailable' } } })
    expect(answer.text).not.toContain('secret')
  })

  it('gets 429 beyond the rate, and nobody else does', async () => {
    const { port } = await serveChat({ limits: { requestRate: 1, requestBurst: 5 } })
    const statuses: number[] = []
    for (let index = 0; index < 8; index++)
      statuses.push((await call(port, 'GET', '/friendships', { user: 'ann' })).status)
    expect(statuses.slice(0, 5)).toEqual([200, 200, 200, 200, 200])
    const refused = await call(port, 'GET', '/friendships', { user: 'ann' })
    expect(refused).toMatchObject({ status: 429, headers: { 'retry-after': '1' } })
    expect((await call(port, 'GET', '/friendships', { user: 'ben' })).status).toBe(200)
  })
})

describe('history', () => {
  const filled = async (count: number) => {
    const { chat, friendship, port } = await serveChat()
    for (let index = 1; index <= count; index++)
      await chat.send({ from: index % 2 ? 'ann' : 'ben', conversation: friendship, content: `m${index}` })
    const get = (query: string) =>
      call(port, 'GET', `/conversations/${friendship}/messages${query}`, { user: 'ann' }).then(({ json }) => json)
    return { chat, friendship, port, get }
  }

  it('pages in both directions', async () => {
    const { get } = await filled(7)
    const seqs = (page: { items: { seq: number }[] }) => page.items.map(({ seq }) => seq)
    expect(seqs(await get('?limit=3'))).toEqual([5, 6, 7])
    expect(seqs(await get('?before=5&limit=3'))).toEqual([2, 3, 4])
    const last = await get('?before=2&limit=3')
    expect([seqs(last), last.more]).toEqual([[1], false])
    const after = await get('?after=2&limit=3')
    expect([seqs(after), after.more, after.head]).toEqual([[3, 4, 5], true, 7])
    expect(seqs(await get('?after=7'))).toEqual([])
  })

  it("serves old front ends the article's messages, oldest first", async () => {
    const { chat, friendship, port } = await filled(2)
    await chat.send({ from: 'ann', conversation: friendship, content: '{}', type: 'reaction' })
    const answer = await call(port, 'GET', `/messages?friendId=${friendship}&_=17`, { user: 'ben' })
    expect(answer.json).toMatchObject([
      { friend: friendship, from: 'ann', to: 'ben', content: 'm1', type: 'text', seq: 1 },
      { friend: friendship, from: 'ben', to: 'ann', content: 'm2', type: 'text', seq: 2 },
    ])
    expect(answer.json).toHaveLength(2)
    const before = await call(port, 'GET', `/messages?friendId=${friendship}&before=2`, { user: 'ben' })
    expect(before.json).toHaveLength(1)
  })

  it('is closed to a former friend, and open again to one who came back', async () => {
    const { chat, friendship, port } = await filled(1)
    const status = async () => (await call(port, 'GET', `/messages?friendId=${friendship}`, { user: 'ben' })).status
    await chat.friendships.block('ann', friendship)
    expect(await status()).toBe(404)
    await chat.friendships.unblock('ann', friendship)
    expect(await status()).toBe(200)
  })
})
