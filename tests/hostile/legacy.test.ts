import { describe, expect, it } from 'vitest'
import { serveChat } from '../integration/serve.js'
import { bare, controlPair } from '../integration/sockets.js'

const valid = { from: 'ann', to: 'ben', content: 'x', type: 'text' }

/** What is dropped: a name, and what the frame says instead of something valid. */
const DROPPED: [name: string, changes: Record<string, unknown>][] = [
  ['L4 no friend', { friend: undefined }],
  ['L4 no receiver', { to: undefined }],
  ['L4 no content', { content: undefined }],
  ['L7 content an object', { content: { $gt: '' } }],
  ['L7 content a number', { content: 5 }],
  ['L7 no content to speak of', { content: '' }],
  ['L8 an unknown type', { type: 'script' }],
  ['L11 a friend that is no id', { friend: '../../etc/passwd' }],
  ['L11 a friend that is an operator', { friend: { $ne: null } }],
  ['L11 a friend of nobody', { friend: 'ffffffffffffffffffffffff' }],
  ['L11 a receiver who is a stranger', { to: 'cyd' }],
]

describe('a bare frame', () => {
  it.each(DROPPED)('%s is dropped, counted, and not answered', async (_name, changes) => {
    const { port, chat, friendship } = await serveChat()
    const control = await controlPair(port, friendship)
    const dropped = () => (chat.stats.get('legacy_bad_frame') ?? 0) + (chat.stats.get('legacy_refused') ?? 0)
    const ann = await bare(port, 'ann')
    ann.socket.send(JSON.stringify({ ...valid, friend: friendship, ...changes }))
    await expect.poll(dropped).toBe(1)
    expect(await control.check()).toEqual(control.expected)
    expect(ann.received.filter((text) => !text.includes('control'))).toEqual([])
    const { head } = await chat.history('ann', friendship, { after: 0, limit: 1 })
    expect(head).toBe(20)
  })
})
