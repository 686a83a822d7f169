import WsRequest from '@kithwire/client'
import WsRouterDefault, { MemoryStore } from '@kithwire/server'
import express from 'express'
import { describe, expect, it } from 'vitest'
import { cleanup, ended, quiet } from '../integration/serve.js'
import { ArticleClient } from './article-client.js'
import { articleDesign } from './article-design.js'
import { FRIEND, type Name, type Participant, play, type Stage, transcripts, USERS } from './transcript.js'

async function kithwire() {
  const store = new MemoryStore()
  const { jeffery: user1, testuser: user2 } = USERS
  const row = { id: FRIEND, user1, user2, requester: user1, blockedBy: [], createdAt: 1, changedAt: 1, version: 1 }
  await store.friendships.put({ ...row, state: 'accepted' }, undefined)
  const app = express()
  const chat = WsRouterDefault('/ws/:id', app, undefined, { store, legacy: 'open', log: quiet })
  cleanup(() => chat.close({ drainMs: 0 }))
  const timer = chat.initHeartbeat(50)
  cleanup(() => clearInterval(timer))
  const port = await ended(app.listen(0, '127.0.0.1'))
  const stored = async () => (await store.heads([FRIEND]))[0]!.head
  return { url: `ws://127.0.0.1:${port}/ws`, stored, chat }
}

const old = (url: string, name: Name): Promise<Participant> => {
  const client = new ArticleClient(url, USERS[name])
  cleanup(() => client.close())
  return client.opened()
}

/** The new client in an old one's part. Its frames are its own, so its part of the transcript is told by its callback. */
async function renewed(url: string, name: Name): Promise<Participant> {
  const client = new WsRequest(url, USERS[name])
  cleanup(() => client.close())
  await client.connected()
  let wake = () => {}
  let close = (_code: number) => {}
  const part: Participant = {
    sent: [],
    received: [],
    // Its pings are envelopes.
    pings: 1,
    closed: new Promise((resolve) => {
      close = resolve
    }),
    send: (friend, content, to, type) => {
      part.sent.push(JSON.stringify({ friend, from: USERS[name], to, content, type: type ?? 'text' }))
      return client.send(friend, content, to, type)
    },
    close: () => {
      client.close()
      close(1005)
    },
    until: async (done) => {
      while (!done())
        await new Promise<void>((resolve) => {
          wake = resolve
        })
    },
  }
  client.onMessage(({ conversation, from, to, content, type }) => {
    if (from === USERS[name]) return
    part.received.push(JSON.stringify({ friend: conversation, from, to, content, type }))
    wake()
  })
  return part
}

/** Kithwire's bare frame without the three members that the article's own server does not send. */
function plain(text: string): string {
  if (!text.startsWith('{"_id":')) return text
  const [, rest] = /^\{"_id":"[A-Za-z0-9_-]+",(.*),"createdAt":\d{13},"seq":\d+\}$/su.exec(text) ?? []
  return `{${rest}}`
}

describe.each(transcripts)('$name: $about', (transcript) => {
  it("is what the article's own server and clients say", async () => {
    const { url, stored } = await articleDesign()
    await play(transcript, { connect: (name) => old(url, name), stored, plain: (text) => text })
  })

  it.each([
    ['both clients old', old, old],
    ['jeffery new', renewed, old],
    ['testuser new', old, renewed],
    ['both clients new', renewed, renewed],
  ])('is what is said over Kithwire with %s', async (_name, jeffery, testuser) => {
    const { url, stored } = await kithwire()
    const make = { jeffery, testuser }
    const stage: Stage = { connect: (name) => make[name](url, name), stored, plain }
    await play(transcript, stage)
  })
})

describe('old and new clients of both friends in one conversation', () => {
  it('all see the same, each once and in the same order', async () => {
    const { url, chat } = await kithwire()
    const [jefferyOld, jefferyNew] = [await old(url, 'jeffery'), await renewed(url, 'jeffery')]
    const [testuserOld, testuserOther] = [await old(url, 'testuser'), await old(url, 'testuser')]
    const testuserNew = await renewed(url, 'testuser')
    const say = (part: Participant, to: Name, content: string) => part.send(FRIEND, content, USERS[to])
    const all: string[] = []
    for (let round = 0; round < 5; round++) {
      for (const [part, to, sender] of [
        [jefferyOld, 'testuser', 'jeffery old'],
        [testuserNew, 'jeffery', 'testuser new'],
        [jefferyNew, 'testuser', 'jeffery new'],
        [testuserOld, 'jeffery', 'testuser old'],
      ] as const) {
        all.push(`${sender} ${round}`)
        await say(part, to, all.at(-1)!)
        // Two sockets have no order between them but the one in which they were served.
        await testuserOther.until(() => testuserOther.received.length === all.length)
      }
    }
    const contents = (part: Participant) => part.received.map((text) => JSON.parse(text).content)
    const without = (text: string) => all.filter((content) => !content.startsWith(text))
    await jefferyOld.until(() => jefferyOld.received.length === 15)
    await testuserOld.until(() => testuserOld.received.length === 15)
    for (const part of [jefferyNew, testuserNew]) await part.until(() => part.received.length === 10)
    expect(contents(jefferyOld)).toEqual(without('jeffery old'))
    expect(contents(testuserOld)).toEqual(without('testuser old'))
    expect(contents(testuserOther)).toEqual(all)
    expect(contents(jefferyNew)).toEqual(without('jeffery'))
    expect(contents(testuserNew)).toEqual(without('testuser'))
    const { items } = await chat.history(USERS.jeffery, FRIEND, { after: 0, limit: 200 })
    expect(items.map(({ content }) => content)).toEqual(all)
    expect(items.map(({ seq }) => seq)).toEqual(all.map((_, index) => index + 1))
  })
})
