import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { WsRequest } from '@kithwire/client'
import { type LogLine, MemoryStore, type ServerLimits, WsRouter } from '@kithwire/server'
import { expect, vi } from 'vitest'
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

/** A reaction that takes longer, ms, in each of three tries, is no reaction: one slow try is the machine's. */
const LATE_MS = 1_000
const TRIES = 3
/** By how much the heap may have grown when a case is over: what is healthy stays, such as 20 messages in memory. */
const HEAP = 1.02

setFlagsFromString('--expose-gc')
const collect: () => void = runInNewContext('gc')

/** What is referred to, in bytes. */
function heap(): number {
  collect()
  return process.memoryUsage().heapUsed
}

/** A mounted server that one process shares between all cases; each case has users of its own. */
export class HostileWorld {
  private cases = 0
  /** After the last case; the first one loads and compiles. */
  private heapBefore: number | undefined

  private constructor(
    readonly port: number,
    readonly chat: WsRouter,
    readonly store: GatedStore,
    readonly lines: LogLine[],
    private readonly stop: () => Promise<void>,
  ) {}

  static async start(limits: Partial<ServerLimits> = {}): Promise<HostileWorld> {
    const server = createServer()
    const lines: LogLine[] = []
    const store = new GatedStore()
    const chat = new WsRouter({
      store,
      authenticate: (_request, { token }) => (token === undefined ? null : { id: token }),
      legacy: false,
      log: (line) => lines.push(line),
      // Each case connects from the same address.
      limits: { handshakeRate: 10_000, handshakeBurst: 10_000, ...limits },
    })
    chat.attach(server, '/chat/ws')
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    const { port } = server.address() as AddressInfo
    return new HostileWorld(port, chat, store, lines, async () => {
      await chat.close({ drainMs: 0 })
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
    })
  }

  /** Ends; whoever attacked has gone by then, and nothing of them may be left. */
  async close(): Promise<void> {
    await vi.waitFor(() => expect(this.chat.connections()).toBe(0), { timeout: 10_000 })
    await this.stop()
  }

  /** One attack beside two healthy clients: the reaction, in time, with what an operator sees of it. */
  async judge(reaction: Reaction, attack: (attacker: Attacker) => void): Promise<void> {
    for (let tries = 1; ; tries++) {
      const attacker = await this.attacker()
      const before = this.counted(reaction)
      let took = 0
      await this.beside(async () => {
        const start = performance.now()
        attack(attacker)
        await react(attacker.raw, reaction)
        took = performance.now() - start
      })
      if (before !== undefined)
        await expect.poll(() => this.counted(reaction), { message: 'the counter goes up by one' }).toBe(before + 1)
      this.checkLines(attacker.user, reaction)
      attacker.raw.destroy()
      await this.checkHeap()
      if (took <= LATE_MS) return
      expect(tries, `a reaction within ${LATE_MS} ms, not ${Math.round(took)}`).toBeLessThan(TRIES)
    }
  }

  /** Nothing that an attack has made may stay. */
  private async checkHeap(): Promise<void> {
    const most = HEAP * (this.heapBefore ?? Number.POSITIVE_INFINITY)
    await expect.poll(heap, { message: 'the heap is back', interval: 200, timeout: 5_000 }).toBeLessThan(most)
    this.heapBefore = heap()
  }

  /** The counter of a reaction; what is let pass or ignored has none. */
  private counted(reaction: Reaction): number | undefined {
    const [kind, what] = reaction.split(':')
    const of = (name: string) => this.chat.stats.get(name) ?? 0
    if (kind === 'C') return of(`closed_${what}`) + of(`left_${what}`)
    return kind === 'E' || kind === 'N' ? of(`refused_${what}`) : undefined
  }

  /** One line for each thing that happened, none with anything in it that could forge another. */
  private checkLines(user: string, reaction: Reaction): void {
    const lines = this.lines.filter(({ fields }) => fields.user === user)
    const events = lines.map(({ event }) => event)
    expect(new Set(events).size, `one line per event: ${events}`).toBe(events.length)
    if (reaction === 'OK' || reaction === 'IGN') expect(events).toEqual([])
    else expect(events).not.toEqual([])
    expect(JSON.stringify(lines.map(({ fields }) => Object.values(fields)))).not.toMatch(/\\[nrt]|\\u00[01]/)
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
