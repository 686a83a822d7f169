import {
  DEFAULT_LIMITS,
  type Decoded,
  decodeClientFrame,
  decodeLegacy,
  decodeServerFrame,
  encode,
  type ServerFrame,
} from '@kithwire/protocol'
import type { SeededRandom } from '@kithwire/protocol/testing'
import { CORPUS } from './corpus.js'
import { bare, CLIENT_SHAPES, type Envelope, envelope, SERVER_SHAPES, UNKNOWN } from './envelopes.js'
import { mutate } from './mutate.js'
import { isPolluted, type Options, randomOf, type Tally } from './tally.js'

const PROBLEMS = new Set(['bad_frame', 'bad_field', 'too_large', 'unknown_type'])

type Side = 'client' | 'server' | 'bare'
interface Input {
  text: string
  side: Side
  /** What the grammar knows; a mutant may be anything. */
  valid?: boolean
}

export function inputOf(random: SeededRandom): Input {
  const side = random.pick(['client', 'client', 'server', 'server', 'bare'] as const)
  const made: Partial<Envelope> & { text: string } =
    side === 'bare' ? { text: bare(random) } : envelope(random, side === 'client' ? CLIENT_SHAPES : SERVER_SHAPES, 0.5)
  return random.chance(0.6) ? { text: mutate(random, made.text), side } : { ...made, side }
}

/** Texts of every kind through both readers: they never throw, and say of each what the grammar knows of it. */
export async function fuzzCodec(options: Options, tally: Tally): Promise<void> {
  for (const text of CORPUS) judge(tally, -1, { text, side: 'client' })
  const indices = options.only === undefined ? options.inputs : options.only + 1
  for (let index = options.only ?? 0; index < indices; index++) {
    const input = inputOf(randomOf(options, index))
    const start = performance.now()
    judge(tally, index, input)
    await tally.took(performance.now() - start, index, input.text, () => read(input))
    if (index === Math.floor(options.inputs / 3)) tally.measure()
    if (index % 1_024 === 0) process.send?.({ at: index })
  }
  tally.measure()
}

function read({ text, side }: Input) {
  if (side === 'bare') return decodeLegacy(text)
  return side === 'client' ? decodeClientFrame(text) : decodeServerFrame(text)
}

function judge(tally: Tally, index: number, input: Input): void {
  tally.inputs++
  try {
    const problem = input.side === 'bare' ? checkBare(input.text) : check(input)
    // What one side wrote may reach the other one.
    if (input.side !== 'bare') (input.side === 'client' ? decodeServerFrame : decodeClientFrame)(input.text)
    if (problem.wrong) tally.wrong(index, problem.wrong, input.text)
    tally.count(`${input.side} ${problem.name}`)
    if (isPolluted()) tally.wrong(index, 'left something on a prototype', input.text)
  } catch (error) {
    tally.wrong(index, `threw ${error}`, input.text)
  }
}

interface Verdict {
  name: string
  wrong?: string
}

function checkBare(text: string): Verdict {
  const decoded = decodeLegacy(text)
  if (!decoded.ok) return { name: 'dropped', ...(decoded.problem === '' && { wrong: 'dropped without a reason' }) }
  const keys = Object.keys(decoded.message).sort().join()
  return { name: 'read', ...(keys !== 'content,friend,to,type' && { wrong: `read the fields ${keys}` }) }
}

function check({ text, side, valid }: Input): Verdict {
  const decoded: Decoded<object> = side === 'client' ? decodeClientFrame(text) : decodeServerFrame(text)
  if (!decoded.ok) {
    const { code, message, type = '' } = decoded.problem
    if (valid) return { name: code, wrong: `refused what is valid: ${message}` }
    if (!PROBLEMS.has(code) || message === '' || message.length > 256 || type.length > 32)
      return { name: code, wrong: `answered ${code}: ${message}` }
    return { name: code }
  }
  const { frame } = decoded
  if (Object.getPrototypeOf(frame) !== Object.prototype) return { name: 'read', wrong: 'read another kind of object' }
  const invalid = 'invalid' in frame
  if (valid === false && !invalid) return { name: 'read', wrong: 'read what is not valid' }
  if (valid && invalid) return { name: 'invalid item', wrong: 'refused an item that is valid' }
  if (invalid) return { name: 'invalid item' }
  const again = encode(frame as ServerFrame)
  if (valid && again.includes(`"${UNKNOWN}"`)) return { name: 'read', wrong: 'copied a field that it does not know' }
  const second =
    side === 'client' ? decodeClientFrame(again, { content: DEFAULT_LIMITS.content }) : decodeServerFrame(again)
  if (!second.ok) return { name: 'read', wrong: `cannot read what it wrote: ${second.problem.message}` }
  // Key by key: what is read is a function of what was written, and nothing came or went.
  if (encode(second.frame as ServerFrame) !== again) return { name: 'read', wrong: 'reads back something else' }
  return { name: 'read' }
}
