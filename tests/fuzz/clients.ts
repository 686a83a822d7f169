import { encode, type KithwireError } from '@kithwire/protocol'
import type { SeededRandom } from '@kithwire/protocol/testing'
import { head, type Peer, Script } from '../../packages/client/src/testing/script.js'
import { CORPUS } from './corpus.js'
import { CLIENT_SHAPES, envelope, SERVER_SHAPES } from './envelopes.js'
import { mutate } from './mutate.js'
import { isPolluted, type Options, randomOf, type Tally } from './tally.js'

const FRAMES = 25

function textsOf(random: SeededRandom): string[] {
  return Array.from({ length: FRAMES }, () => {
    const { text } = envelope(random, random.chance(0.02) ? CLIENT_SHAPES : SERVER_SHAPES, 0.3)
    return random.chance(0.02) ? random.pick(CORPUS) : random.chance(0.35) ? mutate(random, text) : text
  })
}

/**
 * The other direction: a client whose server says whatever it likes. It may report, close and connect again; it never
 * throws, never says what its own protocol does not know, and can still be closed. `Script` reads what it says.
 */
export async function fuzzClients(options: Options, tally: Tally): Promise<void> {
  const sessions = Math.ceil(options.inputs / FRAMES)
  const first = options.only ?? 0
  for (let index = first; index < (options.only === undefined ? sessions : first + 1); index++) {
    const texts = textsOf(randomOf(options, index))
    try {
      await run(randomOf(options, index), texts, index, tally)
    } catch (error) {
      tally.wrong(index, `the client threw ${error instanceof Error ? error.stack : error}`, texts)
    }
    if (isPolluted()) tally.wrong(index, 'left something on a prototype', texts)
    process.send?.({ at: index })
    if (index === Math.floor(sessions / 3)) tally.measure()
  }
  tally.measure()
}

/** The same frame as an answer to something that the client really asked: chance alone would hit few. */
function answerTo(random: SeededRandom, peer: Peer, text: string): string {
  const asked = peer.frames.flatMap((frame) => ('n' in frame ? [frame.n] : []))
  return asked.length === 0 ? text : text.replace(/"re":[0-9]+/, `"re":${random.pick(asked)}`)
}

/** The same session alone, for its time. */
async function again(random: SeededRandom, texts: readonly string[]): Promise<void> {
  const script = new Script()
  const client = script.client()
  const peer = await script.online([head(3, { conversation: 'c1' })])
  for (const text of texts) peer.socket.send(text)
  await script.clock.advance(random.integer(1, 100))
  client.close()
}

async function run(random: SeededRandom, texts: readonly string[], index: number, tally: Tally): Promise<void> {
  const script = new Script(random.integer(1, 1e9))
  const client = script.client({ token: 'token' })
  client.onMessage(() => {})
  let rejected = 0
  for (const conversation of ['c1', 'c1', 'c2'])
    client.send({ conversation, content: 'x' }).catch((error: KithwireError) => {
      if (error.name !== 'KithwireError') tally.wrong(index, `a send was rejected by ${error}`, texts)
      rejected++
    })
  let peer = await script.online([head(3, { conversation: 'c1' }), head(0, { conversation: 'c2' })])
  for (const text of texts) {
    tally.inputs++
    const current = script.peers.at(-1)!
    if (current !== peer) {
      // It has connected again: let it in, so that what follows is read.
      peer = current
      if (peer.frames.some((frame) => frame.t === 'hello')) peer.welcome([head(3, { conversation: 'c1' })])
    }
    peer.socket.send(random.chance(0.5) ? answerTo(random, peer, text) : text)
    const start = performance.now()
    await script.clock.advance(random.pick([0, 1, 100, 2_000]))
    await tally.took(performance.now() - start, index, texts, () => again(random.fork(1), texts))
  }
  await script.clock.advance(30_000)
  tally.count('sockets', script.peers.length)
  tally.count('errors reported', script.errors.length)
  tally.count('sends rejected', rejected)
  for (const error of script.errors)
    if (error.name !== 'KithwireError' || error.cause !== undefined)
      tally.wrong(index, `reported ${error.code}: ${error.message} ${error.cause}`, texts)
  client.close()
  await script.clock.advance(30_000)
  if (script.clock.pending > 0) tally.wrong(index, `${script.clock.pending} timers are left after close()`, texts)
  peer.socket.send(encode({ t: 'heartbeat', now: 1 }))
  await script.clock.advance(1)
}
