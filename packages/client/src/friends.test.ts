import { expect, it } from 'vitest'
import { type Fetch, FriendsClient } from './friends.js'

function fake(status: number, body: unknown) {
  const calls: unknown[][] = []
  const fetch: Fetch = async (url, { method, headers, credentials, body: sent }) => {
    calls.push([method, url, headers, credentials, ...(sent === undefined ? [] : [sent])])
    if (body instanceof Error) throw body
    return { ok: status < 400, status, json: async () => body }
  }
  return { calls, fetch }
}

it('asks the routes of the router, with cookies or a token', async () => {
  const { calls, fetch } = fake(200, { id: 'f' })
  const json = { 'Content-Type': 'application/json' }
  const friends = new FriendsClient('/chat/', { fetch })
  expect(await friends.list()).toEqual({ id: 'f' })
  await friends.request('ben')
  await friends.accept('a/b')
  await friends.remove('f')
  for (const name of ['decline', 'cancel', 'block', 'unblock'] as const) await friends[name]('f')
  expect(calls).toEqual([
    ['GET', '/chat/friendships', {}, 'same-origin'],
    ['POST', '/chat/friendships', json, 'same-origin', '{"user":"ben"}'],
    ['POST', '/chat/friendships/a%2Fb/accept', json, 'same-origin', '{}'],
    ['DELETE', '/chat/friendships/f', {}, 'same-origin'],
    ...['decline', 'cancel', 'block', 'unblock'].map((name) => [
      ...['POST', `/chat/friendships/f/${name}`, json, 'same-origin', '{}'],
    ]),
  ])
  calls.length = 0
  await new FriendsClient('https://example.com/chat', { fetch, token: async () => 't' }).list()
  expect(calls).toEqual([['GET', 'https://example.com/chat/friendships', { Authorization: 'Bearer t' }, 'omit']])
})

it.each([
  [403, { error: { code: 'blocked', message: 'No.' } }, 'blocked', 'No.'],
  [429, { error: { code: 'rate_limited', message: 'Slow.' } }, 'rate_limited', 'Slow.'],
  [503, { error: { code: 'unavailable', message: 'Later.' } }, 'store_unavailable', 'Later.'],
  [401, 'proxy', 'unauthorized', 'The server answered 401.'],
  [500, { error: { code: 'toString' } }, 'internal', 'The server answered 500.'],
  [502, null, 'store_unavailable', 'The server answered 502.'],
])('a refusal has a code: %i', async (status, body, code, message) => {
  await expect(new FriendsClient('/chat', fake(status, body)).list()).rejects.toMatchObject({ code, message })
})

it('no answer is an unknown outcome, and a wrong url is told at once', async () => {
  const cause = new Error('offline')
  const friends = new FriendsClient('/chat', fake(0, cause))
  await expect(friends.list()).rejects.toMatchObject({ code: 'unknown_outcome', cause })
  expect(() => new FriendsClient('')).toThrow('expected where the router is mounted')
})
