import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { WsRequest } from '@kithwire/client'
import { MemoryStore, WsRouter } from '@kithwire/server'
import { expect } from 'vitest'
import { befriend } from '../integration/serve.js'
import { RawWebSocket } from '../support/raw-websocket.js'

/** What must come of an attack, in the notation of the hostile list. */
export type Reaction = `C:${number}` | `E:${string}` | `N:${string}` | 'IGN' | 'OK'

export interface Attacker {
  raw: RawWebSocket
  user: string
  /** Of the attacker and a friend. */
  conversation: string
  /** Of two others. */
  foreign: string
}

/** A store that can be made to wait, so that two requests really are under way at once. */
class GatedStore extends MemoryStore {
  gate: Promise<void> | undefined

  override async append(sends: Parameters<MemoryStore['append']>[0]) {
    await this.gate
    return super.append(sends)
  }
}

/** A mounted server that one process shares between all cases; each case has users of its own. */
export class HostileWorld {
  private cases = 0

  private constructor(
    readonly port: number,
    readonly chat: WsRouter,
    readonly store: GatedStore,
    private readonly stop: () => Promise<void>,
  ) {}

  static async start(): Promise<HostileWorld> {
    const server = createServer()
    const store = new GatedStore()
    const chat = new WsRouter({
      store,
      authenticate: (_request, { token }) => (token === undefined ? null : { id: token }),
      legacy: false,
      log: () => {},
    })
    chat.attach(server, '/chat/ws')
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    const { port } = server.address() as AddressInfo
    return new HostileWorld(port, chat, store, async () => {
      await chat.close({ drainMs: 0 })
      await new Promise((resolve) => server.close(resolve))
    })
  }

  close(): Promise<void> {
    return this.stop()
  }

  befriend(one: string, other: string): Promise<string> {
    return befriend(this.chat, one, other)
  }

  /** A raw socket of a user, before `hello`. */
  raw(user: string): Promise<RawWebSocket> {
    const token = `kithwire.bearer.${Buffer.from(user).toString('base64url')}`
    return RawWebSocket.open({ port: this.port, path: '/chat/ws', protocols: ['kithwire.v1', token] })
  }

  /** A raw socket that was welcomed. */
  async greeted(user: string, device = 'D'.repeat(22), attempt = 1): Promise<RawWebSocket> {
    const raw = await this.raw(user)
    raw.send({ t: 'hello', device, attempt })
    await raw.frame((envelope) => envelope.t === 'welcome')
    return raw
  }

  async attacker(greet = true): Promise<Attacker> {
    const number = ++this.cases
    const user = `evil-${number}`
    const conversation = await this.befriend(user, `friend-${number}`)
    const foreign = await this.befriend(`one-${number}`, `other-${number}`)
    return { raw: greet ? await this.greeted(user) : await this.raw(user), user, conversation, foreign }
  }

  /** Two healthy clients beside the attack: all 20 messages arrive in order while `attack` runs. */
  async beside(attack: () => Promise<void>): Promise<void> {
    const [ann, ben] = [`ann-${this.cases}`, `ben-${this.cases}`]
    const conversation = await this.befriend(ann, ben)
    const url = `ws://127.0.0.1:${this.port}/chat/ws`
    const [sender, receiver] = [new WsRequest(url, { token: ann }), new WsRequest(url, { token: ben })]
    const got: string[] = []
    const wanted = Array.from({ length: 20 }, (_, index) => `message ${index}`)
    const all = new Promise<void>((resolve) => {
      receiver.onMessage((message) => {
        if (got.push(message.content) === wanted.length) resolve()
      })
    })
    try {
      await Promise.all([sender.connected(), receiver.connected()])
      const sent = wanted.map((content) => sender.send({ conversation, content }))
      await Promise.all([attack(), ...sent, all])
      expect(got).toEqual(wanted)
    } finally {
      sender.close()
      receiver.close()
    }
  }
}

/** Waits for a reaction; after one that leaves the socket open, the socket still answers. */
export async function react(raw: RawWebSocket, reaction: Reaction): Promise<void> {
  const [kind, what] = reaction.split(':')
  if (kind === 'C') return expect(await raw.closed()).toBe(Number(what))
  if (kind === 'E') await raw.frame((envelope) => envelope.t === 'error' && envelope.code === what)
  if (kind === 'N') await raw.frame((envelope) => (envelope.refused as { code?: string } | undefined)?.code === what)
  if (kind === 'OK') await raw.frame((envelope) => envelope.t === 'ack' && (envelope.items as unknown[]).length > 0)
  raw.send({ t: 'ping', n: 999 })
  await raw.frame((envelope) => envelope.t === 'pong' && envelope.re === 999)
}
