import type { Membership } from '@kithwire/server'
import { describe, expect, it } from 'vitest'
import { call } from './http-client.js'
import { serveChat } from './serve.js'
import { v1 } from './sockets.js'

describe('friendships over HTTP and on open sockets', () => {
  it('A3 lets nobody send before the request is accepted, and tells both sockets when it is', async () => {
    const { port } = await serveChat()
    const post = (user: string, path: string, body?: object) => call(port, 'POST', path, { user, body })
    const [ann, cyd] = [await v1(port, 'ann'), await v1(port, 'cyd')]
    const { json } = await post('ann', '/friendships', { user: 'cyd' })
    await expect(ann.send(json.id, 'too early')).rejects.toThrow('not_found')
    await post('cyd', `/friendships/${json.id}/accept`)
    expect((await ann.envelope('behind')).heads[0]![0]).toBe(json.id)
    expect((await cyd.envelope('behind')).heads[0]![0]).toBe(json.id)
    expect(await ann.send(json.id, 'now')).toBe(1)
    await cyd.next((text) => (text.includes('"now"') ? true : undefined))
  })

  it('A7 a block takes effect on the next frame, is named to the two, and ends with the unblock', async () => {
    const { port, friendship } = await serveChat()
    const [ann, ben, cyd] = [await v1(port, 'ann'), await v1(port, 'ben'), await v1(port, 'cyd')]
    expect(await ann.send(friendship, 'one')).toBe(1)
    const blocked = await call(port, 'POST', `/friendships/${friendship}/block`, { user: 'ben' })
    expect(blocked.json).toMatchObject({ state: 'accepted', blockedBy: ['ben'] })
    await expect(ann.send(friendship, 'two')).rejects.toThrow('blocked')
    await expect(ben.send(friendship, 'two')).rejects.toThrow('blocked')
    await expect(cyd.send(friendship, 'two')).rejects.toThrow('not_found')
    await call(port, 'POST', `/friendships/${friendship}/unblock`, { user: 'ben' })
    expect(await ann.send(friendship, 'two')).toBe(2)
  })

  it('A6 a removed friendship is closed at once and keeps its log', async () => {
    const { port, friendship } = await serveChat()
    const ann = await v1(port, 'ann')
    await ann.send(friendship, 'one')
    const removed = await call(port, 'DELETE', `/friendships/${friendship}`, { user: 'ben' })
    expect(removed.json.state).toBe('removed')
    await expect(ann.send(friendship, 'two')).rejects.toThrow('not_found')
    expect((await call(port, 'GET', '/friendships', { user: 'ann' })).json).toEqual([])
    await call(port, 'POST', '/friendships', { user: 'ben', body: { user: 'ann' } })
    await call(port, 'POST', '/friendships', { user: 'ann', body: { user: 'ben' } })
    expect(await ann.send(friendship, 'two')).toBe(2)
  })

  it('lists what concerns a user, as an array', async () => {
    const { port, chat, friendship } = await serveChat()
    await chat.friendships.request('cyd', 'ann')
    const { json } = await call(port, 'GET', '/friendships', { user: 'ann' })
    expect(json).toMatchObject([
      { id: friendship, user: 'ben', state: 'accepted' },
      { user: 'cyd', state: 'pending', requester: 'cyd' },
    ])
    expect((await call(port, 'GET', '/friendships', { user: 'eve' })).json).toEqual([])
  })

  it.each([
    ['accept', 409],
    ['decline', 409],
    ['cancel', 409],
  ])('%s of what is no request is %i', async (action, status) => {
    const { port, chat } = await serveChat()
    const { id } = await chat.friendships.request('cyd', 'ann')
    await chat.friendships.remove('cyd', id)
    const user = action === 'cancel' ? 'ann' : 'cyd'
    expect(await call(port, 'POST', `/friendships/${id}/${action}`, { user })).toMatchObject({
      status,
      json: { error: { code: 'bad_state' } },
    })
  })

  it('declines, cancels, and lets be asked again', async () => {
    const { port } = await serveChat()
    const ask = () => call(port, 'POST', '/friendships', { user: 'ann', body: { user: 'cyd' } })
    const { id } = (await ask()).json
    expect((await call(port, 'POST', `/friendships/${id}/decline`, { user: 'cyd' })).json.state).toBe('declined')
    expect((await ask()).json).toMatchObject({ id, state: 'pending' })
    expect((await call(port, 'POST', `/friendships/${id}/cancel`, { user: 'ann' })).json.state).toBe('cancelled')
  })
})

describe("the app's own friend table", () => {
  it('decides alone, and has no routes of ours', async () => {
    const rooms = new Map<string, string[]>([['room', ['ann', 'ben', 'cyd']]])
    const { port, chat } = await serveChat({
      friendships: {
        members: async (conversation) => rooms.get(conversation) ?? null,
        of: async (user): Promise<Membership[]> =>
          [...rooms]
            .filter(([, members]) => members.includes(user))
            .map(([conversation, members]) => ({ conversation, members })),
      },
    })
    const [ann, cyd] = [await v1(port, 'ann'), await v1(port, 'cyd')]
    expect(await ann.send('room', 'one')).toBe(1)
    await cyd.next((text) => (text.includes('"one"') ? true : undefined))
    rooms.set('room', ['ann', 'ben'])
    await chat.membershipChanged('room', ['ann', 'ben', 'cyd'])
    await expect(cyd.send('room', 'two')).rejects.toThrow('not_found')
    expect(await ann.send('room', 'two')).toBe(2)
    expect((await call(port, 'GET', '/friendships', { user: 'ann' })).status).toBe(404)
    expect((await call(port, 'GET', '/conversations/room/messages', { user: 'ben' })).json.items).toHaveLength(2)
    expect(() => chat.friendships).toThrow(expect.objectContaining({ code: 'bad_state' }))
  })
})
