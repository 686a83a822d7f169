import { CLOSE_CODES, decodeClientFrame, decodeServerFrame, type ServerFrame } from '@kithwire/protocol'
import { FakeClock, type PairedSocket, type SeededRandom, socketPair } from '@kithwire/protocol/testing'
import { Core, type Friendships, MemoryStore } from '@kithwire/server'
import { CORPUS } from './corpus.js'
import { AFTER_HELLO, bare, CLIENT_SHAPES, envelope, SERVER_SHAPES } from './envelopes.js'
import { mutate } from './mutate.js'
import { isPolluted, type Options, randomOf, type Tally } from './tally.js'

const FRIENDS = new Map([
  ['c0', ['cal', 'dan']],
  ['c1', ['ann', 'ben']],
  ['c2', ['ann', 'cal']],
])
const friendships: Friendships = {
  members: async (conversation) => FRIENDS.get(conversation) ?? null,
  of: async (user) =>
    [...FRIENDS].flatMap(([conversation, members]) => (members.includes(user) ? [{ conversation, members }] : [])),
}

/** Frames of one session, and how it is served. The last of a thorough session can only be an answer to its frame. */
interface Script {
  user: string
  legacy: boolean
  texts: string[]
  /** Ms between frames. */
  pause: number
}

const FRAMES = 25
/** Sessions of one server; then a new one begins. */
const BLOCK = 50

function scriptOf(random: SeededRandom): Script {
  const legacy = random.chance(0.15)
  const texts: string[] = []
  if (!legacy && random.chance(0.95)) texts.push(`{"v":1,"t":"hello","device":"${'d'.repeat(22)}","attempt":1}`)
  while (texts.length < FRAMES) {
    const shapes = random.chance(0.98) ? AFTER_HELLO : random.pick([SERVER_SHAPES, CLIENT_SHAPES])
    const text = legacy ? bare(random) : envelope(random, shapes, 0.3).text
    texts.push(random.chance(0.02) ? random.pick(CORPUS) : random.chance(0.35) ? mutate(random, text) : text)
  }
  return { user: random.pick(['ann', 'ben', 'eve', '__proto__']), legacy, texts, pause: random.pick([0, 1, 30, 300]) }
}

/** A server with two friends who chat all the while, and whom nobody may disturb. */
class Target {
  readonly clock = new FakeClock()
  readonly core: Core
  private readonly cal: PairedSocket
  private readonly dan: PairedSocket
  private said = 0

  constructor(random: SeededRandom) {
    // With the limits as they are most sessions end at the third bad frame; wide ones let more code run.
    const limits = random.chance(0.5) ? {} : { badFrames: 1_000, badLegacyFrames: 1_000, rate: 1_000, burst: 1_000 }
    this.core = new Core({ runtime: this.clock, store: new MemoryStore({ runtime: this.clock }), friendships, limits })
    this.cal = this.control('cal')
    this.dan = this.control('dan')
  }

  connect(user: string, legacy = false): [client: PairedSocket, received: string[], closed: number[]] {
    const [client, server] = socketPair(this.clock, legacy ? {} : { protocol: 'kithwire.v1' })
    const received: string[] = []
    const closed: number[] = []
    client.listen({ message: (text) => received.push(text ?? ''), close: (code) => closed.push(code) })
    if (legacy) this.core.acceptLegacy(server, { user })
    else this.core.accept(server, { user })
    return [client, received, closed]
  }

  private control(user: string): PairedSocket {
    const [client] = this.connect(user)
    client.send(`{"v":1,"t":"hello","device":"${'c'.repeat(22)}","attempt":1}`)
    return client
  }

  private readonly heard: string[] = []

  /** One message from cal to dan. Undefined if it came, whole and in its place. */
  async checkControl(): Promise<string | undefined> {
    const n = ++this.said
    this.dan.listen({
      message: (text) => {
        const frame = JSON.parse(text ?? '')
        if (frame.t === 'messages') for (const item of frame.items) this.heard.push(item.content)
      },
      close: (code) => this.heard.push(`closed ${code}`),
    })
    const items = [{ cid: `c${n}`, type: 'text', content: `m${n}` }]
    this.cal.send(JSON.stringify({ v: 1, t: 'send', n, conversation: 'c0', items }))
    await this.clock.advance(200)
    return this.heard.length === n && this.heard[n - 1] === `m${n}`
      ? undefined
      : `control heard ${this.heard.slice(-3)}`
  }

  async end(): Promise<string | undefined> {
    const closed = this.core.close({ drainMs: 100 })
    await this.clock.advance(60_000)
    await closed
    const left = Object.entries(this.core.sizes).filter(([, size]) => size > 0)
    return left.length > 0 ? `left behind: ${JSON.stringify(left)}` : undefined
  }
}

/** Frames through a whole server on a fake clock: documented answers only, one for each question, and nothing left. */
export async function fuzzSessions(options: Options, tally: Tally): Promise<void> {
  const last = options.only ?? Number.POSITIVE_INFINITY
  // A session that is closed early leaves some of its frames unsent, so they are counted, and not the sessions.
  for (let index = options.only ?? 0; index <= last && tally.inputs < options.inputs; ) {
    const block = Math.floor(index / BLOCK)
    const target = new Target(randomOf(options, -1 - block))
    await target.clock.advance(10)
    for (; index <= last && index < (block + 1) * BLOCK && tally.inputs < options.inputs; index++) {
      const script = scriptOf(randomOf(options, index))
      await run(target, script, index, tally)
      const control = await target.checkControl()
      if (control) tally.wrong(index, control, script)
      if (isPolluted()) tally.wrong(index, 'left something on a prototype', script)
      process.send?.({ at: index })
    }
    const left = await target.end()
    if (left) tally.wrong(index - 1, left, 'the sessions before')
    if (tally.inputs >= options.inputs / 3) tally.measure()
  }
}

async function run(target: Target, script: Script, index: number, tally: Tally): Promise<void> {
  const [client, received, closed] = target.connect(script.user, script.legacy)
  for (const text of script.texts) {
    if (client.closed) break
    tally.inputs++
    client.send(text)
    const start = performance.now()
    await target.clock.advance(script.pause)
    await tally.took(performance.now() - start, index, script, () => replay(script))
  }
  await target.clock.advance(7_000)
  const problem = script.legacy ? judgeBare(received) : judge(script.texts, received, client, closed)
  if (problem) tally.wrong(index, problem, script)
  for (const code of closed) {
    tally.count(`closed ${code}`)
    if (!(code in CLOSE_CODES)) tally.wrong(index, `closed with ${code}, which no document names`, script)
  }
  client.close(1000)
  await target.clock.advance(10)
}

/** The same session alone, for its time. */
async function replay(script: Script): Promise<void> {
  const target = new Target(new FakeClock().source)
  const [client] = target.connect(script.user, script.legacy)
  for (const text of script.texts) client.send(text)
  await target.clock.advance(1_000)
}

function judgeBare(received: readonly string[]): string | undefined {
  const fields = '_id,content,createdAt,friend,from,seq,to,type'
  const other = received.find((text) => Object.keys(JSON.parse(text)).sort().join() !== fields)
  return other === undefined ? undefined : `sent an old client ${other}`
}

/** Every question has one answer, or the socket was closed; an answer to nothing is as wrong as none. */
function judge(
  texts: readonly string[],
  received: readonly string[],
  client: PairedSocket,
  closed: readonly number[],
): string | undefined {
  const open = new Map<number, number>()
  for (const text of texts.slice(0, client.sent.length)) {
    const asked = question(text)
    if (asked !== undefined) open.set(asked, (open.get(asked) ?? 0) + 1)
  }
  for (const text of received) {
    const decoded = decodeServerFrame(text)
    if (!decoded.ok) return `sent what no client can read: ${text.slice(0, 200)}`
    const re = answered(decoded.frame)
    if (re === undefined) continue
    const left = (open.get(re) ?? 0) - 1
    if (left < 0) return `answered ${re} without being asked, or twice`
    open.set(re, left)
  }
  const unanswered = [...open].filter(([, count]) => count > 0)
  return closed.length === 0 && unanswered.length > 0 ? `did not answer ${JSON.stringify(unanswered)}` : undefined
}

/** The `n` that an answer must name, if the frame asks for one. */
function question(text: string): number | undefined {
  const decoded = decodeClientFrame(text)
  if (!decoded.ok) return decoded.problem.re
  return 'n' in decoded.frame ? decoded.frame.n : undefined
}

const answered = (frame: ServerFrame): number | undefined => ('re' in frame ? frame.re : undefined)
