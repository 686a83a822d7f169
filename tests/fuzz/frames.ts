import { CLOSE_CODES, decodeServerFrame } from '@kithwire/protocol'
import type { SeededRandom } from '@kithwire/protocol/testing'
import { closeFrame, type FrameOptions, frame } from '../support/raw-websocket.js'
import { type Attack, overTcp } from './batches.js'
import { AFTER_HELLO, bare, envelope } from './envelopes.js'
import { mutate, mutateBytes } from './mutate.js'
import { type Options, randomOf, type Tally } from './tally.js'
import type { Answer } from './target.js'
import * as value from './values.js'

const FRAMES = 20

/** WebSocket frames by grammar and by mutation, over TCP, behind a handshake that is good. */
export function fuzzFrames(options: Options, tally: Tally): Promise<void> {
  return overTcp(
    options,
    tally,
    (index) => attackOf(randomOf(options, index)),
    (_attack, answer) => judge(answer, tally),
  )
}

function attackOf(random: SeededRandom): Attack {
  const legacy = random.chance(0.2)
  const user = random.pick(['ann', 'ben', 'eve', 'cal'])
  const frames: Buffer[] = []
  if (!legacy && random.chance(0.95))
    frames.push(maker(random)(1, `{"v":1,"t":"hello","device":"${value.id(random, 22)}","attempt":1}`))
  while (frames.length < FRAMES) frames.push(frameOf(random, legacy))
  const stream = Buffer.concat(frames)
  const sent = random.chance(0.4) ? mutateBytes(random, stream) : stream
  const shake = handshake(user, legacy)
  // Frames in the segment of the handshake come to the server as its `head`.
  const pieces = random.chance(0.3) ? split(random, Buffer.concat([shake, sent])) : [shake, ...split(random, sent)]
  return { pieces, inputs: FRAMES, pauseMs: 20 }
}

type Maker = (opcode: number, payload?: Buffer | string, options?: FrameOptions) => Buffer

/** Masked by the seed, or a run could not be replayed byte for byte. */
const masked = (random: SeededRandom): FrameOptions => ({ key: random.bytes(4) })
const maker =
  (random: SeededRandom): Maker =>
  (opcode, payload, options) =>
    frame(opcode, payload, { ...masked(random), ...options })

function frameOf(random: SeededRandom, legacy: boolean): Buffer {
  const make = maker(random)
  if (random.chance(0.06)) return oddFrame(random, make)
  const said = legacy ? bare(random) : envelope(random, AFTER_HELLO, 0.2).text
  const payload = Buffer.from(random.chance(0.2) ? mutate(random, said) : said)
  if (!random.chance(0.2)) return make(1, payload)
  const at = random.integer(0, payload.length)
  const parts = [make(1, payload.subarray(0, at), { fin: false }), make(0, payload.subarray(at))]
  if (random.chance(0.5)) parts.splice(1, 0, make(random.pick([9, 10]), 'between'))
  return Buffer.concat(parts)
}

function oddFrame(random: SeededRandom, make: Maker): Buffer {
  const payload = Buffer.from(random.bytes(random.integer(0, 130)))
  switch (random.integer(0, 9)) {
    case 0:
      return make(random.pick([0, 2, 2, 3, 7, 8, 9, 10, 11, 15]), payload)
    case 1:
      return make(random.pick([9, 10]), payload.subarray(0, 125))
    case 2:
      return Buffer.concat(Array.from({ length: 100 }, () => make(random.pick([9, 10, 0]), '', { fin: false })))
    case 3:
      return closeFrame(random.integer(0, 65_535), payload.subarray(0, 120), masked(random))
    case 4:
      return make(1, payload, {
        claim: random.pick([126n, 65_535n, 65_537n, 1n << 30n, (1n << 63n) - 1n, (1n << 64n) - 1n]),
      })
    case 5:
      return make(1, payload, { rsv: random.integer(1, 7) })
    case 6:
      return make(1, payload, { mask: false })
    case 7:
      return make(1, random.pick([payload, Buffer.alloc(65_536, 'x'), Buffer.alloc(65_537, 'x')]))
    case 8:
      return make(random.integer(0, 15), payload, { fin: random.chance(0.5), rsv: random.integer(0, 7) })
    default:
      return Buffer.concat(Array.from({ length: 70 }, () => make(0, 'x', { fin: false })))
  }
}

function handshake(user: string, legacy: boolean): Buffer {
  const token = Buffer.from(user).toString('base64url')
  return Buffer.from(
    `GET ${legacy ? `/ws/${user}` : '/chat/ws'} HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n` +
      `Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nx-user: ${user}\r\n` +
      `${legacy ? '' : `Sec-WebSocket-Protocol: kithwire.v1, kithwire.bearer.${token}\r\n`}\r\n`,
  )
}

export function split(random: SeededRandom, bytes: Buffer): Buffer[] {
  const pieces: Buffer[] = []
  for (let at = 0; at < bytes.length; ) {
    const to = random.chance(0.5) ? bytes.length : at + random.integer(1, Math.max(1, bytes.length >> 2))
    pieces.push(bytes.subarray(at, to))
    at = to
  }
  return pieces
}

/** What a server may say after 101: whole, unmasked frames, texts of the protocol, a documented code at the end. */
function judge({ bytes }: Answer, tally: Tally): string | undefined {
  const end = bytes.indexOf('\r\n\r\n')
  const head = bytes.subarray(0, Math.max(0, end)).toString('latin1')
  if (!head.startsWith('HTTP/1.1 101 ')) return `answered the handshake ${JSON.stringify(head.slice(0, 80))}`
  const legacy = !/sec-websocket-protocol/i.test(head)
  for (let at = end + 4; at < bytes.length; ) {
    const [first = 0, second = 0] = bytes.subarray(at, at + 2)
    const opcode = first & 15
    if ((first & 0xf0) !== 0x80 || (second & 0x80) !== 0 || ![1, 8, 9, 10].includes(opcode))
      return `sent a frame that begins ${first.toString(16)} ${second.toString(16)}`
    let length = second & 127
    let start = at + 2
    if (length === 126) {
      length = bytes.readUInt16BE(start)
      start += 2
    } else if (length === 127) {
      length = Number(bytes.readBigUInt64BE(start))
      start += 8
    }
    // What was under way when the connection was cut.
    if (start + length > bytes.length) return undefined
    const wrong = judgeFrame(opcode, bytes.subarray(start, start + length), legacy, tally)
    if (wrong) return wrong
    at = start + length
  }
  return undefined
}

function judgeFrame(opcode: number, payload: Buffer, legacy: boolean, tally: Tally): string | undefined {
  if (opcode === 8) {
    const code = payload.length === 0 ? 1005 : payload.readUInt16BE(0)
    tally.count(`closed ${code}`)
    return code in CLOSE_CODES || isEcho(code) ? undefined : `closed with ${code}, which no document names`
  }
  if (opcode !== 1) return undefined
  tally.count(legacy ? 'bare frames' : 'envelopes')
  if (legacy) return '_id' in JSON.parse(payload.toString()) ? undefined : `sent an old client ${payload}`
  return decodeServerFrame(payload.toString()).ok ? undefined : `sent what no client can read: ${payload}`
}

/** A close is answered by its own code (RFC 6455, 5.5.1), whatever it is, if it is one that may be sent at all. */
const isEcho = (code: number): boolean => (code >= 1000 && code <= 1014) || (code >= 3000 && code <= 4999)
