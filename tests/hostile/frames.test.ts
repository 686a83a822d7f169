import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { closeFrame, frame, text } from '../support/raw-websocket.js'
import { type Attacker, HostileWorld, type Reaction } from './world.js'

let world: HostileWorld
beforeAll(async () => {
  world = await HostileWorld.start()
})
afterAll(() => world.close())

type Case = [name: string, reaction: Reaction, attack: (attacker: Attacker) => void]

const hello = JSON.stringify({ v: 1, t: 'ping', n: 1 })
const item = { cid: 'c', type: 'text', content: 'x' }

const FRAMES: Case[] = [
  ['F1 unmasked', 'C:1002', ({ raw }) => raw.write(text(hello, { mask: false }))],
  ['F2 RSV1 without deflate', 'C:1002', ({ raw }) => raw.write(text(hello, { rsv: 4 }))],
  ['F3 RSV2', 'C:1002', ({ raw }) => raw.write(text(hello, { rsv: 2 }))],
  ['F3 RSV3', 'C:1002', ({ raw }) => raw.write(text(hello, { rsv: 1 }))],
  ...[3, 7, 11, 12, 13, 14, 15].map(
    (opcode): Case => [`F5 opcode ${opcode}`, 'C:1002', ({ raw }) => raw.write(frame(opcode))],
  ),
  ['F6 continuation without start', 'C:1002', ({ raw }) => raw.write(frame(0, 'x'))],
  [
    'F7 text inside a fragmented message',
    'C:1002',
    ({ raw }) => raw.write(Buffer.concat([text('{', { fin: false }), text(hello)])),
  ],
  ['F8 fragmented ping', 'C:1002', ({ raw }) => raw.write(frame(9, '', { fin: false }))],
  ['F10 declared 1 GiB', 'C:1009', ({ raw }) => raw.write(text('', { claim: 1n << 30n }))],
  ['F11 declared 2^63-1', 'C:1009', ({ raw }) => raw.write(text('', { claim: (1n << 63n) - 1n }))],
  ['F12 payload of 64 KiB and one byte', 'C:1009', ({ raw }) => raw.write(text('x'.repeat(65_537)))],
  [
    'F13 fragments summing over the limit',
    'C:1009',
    ({ raw }) => {
      raw.write(text('x'.repeat(40_000), { fin: false }))
      raw.write(frame(0, 'x'.repeat(40_000)))
    },
  ],
  [
    'F15 endless empty fragments',
    'C:1008',
    ({ raw }) => {
      raw.write(text('', { fin: false }))
      for (let index = 0; index < 100; index++) raw.write(frame(0, '', { fin: false }))
    },
  ],
  ['F17 invalid UTF-8', 'C:1007', ({ raw }) => raw.write(text(Buffer.from([0xff, 0xfe])))],
  [
    'F18 UTF-8 split across fragments',
    'OK',
    ({ raw, conversation }) => {
      const bytes = Buffer.from(
        JSON.stringify({ v: 1, t: 'send', n: 1, conversation, items: [{ ...item, content: '€' }] }),
      )
      const split = bytes.indexOf(0xe2) + 1
      raw.write(text(bytes.subarray(0, split), { fin: false }))
      raw.write(frame(0, bytes.subarray(split)))
    },
  ],
  ['F20 binary frame', 'C:1003', ({ raw }) => raw.write(frame(2, hello))],
  ['F21 close of one byte', 'C:1002', ({ raw }) => raw.write(frame(8, 'x'))],
  ...[1005, 999, 5000].map((code): Case => [`F22 close ${code}`, 'C:1002', ({ raw }) => raw.write(closeFrame(code))]),
  ['F23 close reason not UTF-8', 'C:1007', ({ raw }) => raw.write(closeFrame(1000, Buffer.from([0xff])))],
  [
    'F29 one byte per segment',
    'OK',
    ({ raw, conversation }) => {
      raw.socket.setNoDelay(true)
      for (const byte of text(JSON.stringify({ v: 1, t: 'send', n: 1, conversation, items: [item] })))
        raw.write(Buffer.from([byte]))
    },
  ],
]

const say = (body: string): Case[2] => {
  return ({ raw }) => raw.write(text(body))
}

const JSON_CASES: Case[] = [
  ['J1 empty text', 'E:bad_frame', say('')],
  ['J2 not JSON', 'E:bad_frame', say('hello')],
  ...['null', '1', '"x"', 'true'].map((body): Case => [`J4 ${body}`, 'E:bad_frame', say(body)]),
  ['J5 empty array', 'E:bad_frame', say('[]')],
  ['J6 array of 65', 'E:bad_frame', say(JSON.stringify(new Array(65).fill(1)))],
  ['J7 64 KB of brackets', 'E:bad_frame', say('['.repeat(65_000))],
  ['J9 30,000 deep', 'IGN', say(`{"v":1,"t":"ping","n":1,"x":${'['.repeat(30_000)}${']'.repeat(30_000)}}`)],
  [
    'J10 6,000 keys',
    'E:bad_frame',
    say(`{"v":1,"t":"ping",${Array.from({ length: 6_000 }, (_, index) => `"k${index}":1`)}}`),
  ],
  ['J11 the last of two keys', 'E:bad_frame', say('{"v":1,"t":"ping","t":5,"n":1}')],
  ['J13 __proto__', 'E:bad_field', say('{"v":1,"t":"ping","n":1,"__proto__":{"admin":true}}')],
  ['J14 constructor', 'E:bad_field', say('{"v":1,"t":"ping","n":1,"constructor":{"prototype":{"admin":1}}}')],
  ['J15 toString', 'E:bad_field', say('{"v":1,"t":"ping","n":1,"toString":1}')],
  ['J15 hasOwnProperty', 'E:bad_field', say('{"v":1,"t":"ping","n":1,"hasOwnProperty":1}')],
  ['J16 1e309', 'E:bad_field', say('{"v":1,"t":"ping","n":1e309}')],
  ['J18 minus zero', 'E:bad_field', say('{"v":1,"t":"ping","n":-0}')],
  ['J18 a fraction', 'E:bad_field', say('{"v":1,"t":"ping","n":1.5}')],
  ['J18 NaN', 'E:bad_frame', say('{"v":1,"t":"ping","n":NaN}')],
  ['J19 2^53', 'E:bad_field', say('{"v":1,"t":"ping","n":9007199254740992}')],
  ['J23 UTF-16', 'C:1007', ({ raw }) => raw.write(text(Buffer.from('\ufeff{"v":1}', 'utf16le')))],
  ['L2 a bare frame', 'E:bad_frame', say('{"friend":"c","to":"b","content":"x","type":"text"}')],
  ['J24 comment', 'E:bad_frame', say('{"v":1,/**/"t":"ping","n":1}')],
]

describe.each([
  ['frames', FRAMES],
  ['JSON', JSON_CASES],
] as const)('hostile %s', (_name, cases) => {
  it.each(cases.map(([name, reaction, attack]) => ({ name, reaction, attack })))(
    '$name → $reaction',
    async (hostile) => {
      await world.judge(hostile.reaction, hostile.attack)
      expect(({} as { admin?: unknown }).admin).toBeUndefined()
    },
  )
})

describe('abuse', () => {
  it('J2 three frames in a minute that are not JSON → C:4500', async () => {
    const { raw } = await world.attacker()
    for (let index = 0; index < 3; index++) raw.write(text('nonsense'))
    expect(await raw.closed()).toBe(4500)
  })

  it.each([
    ['F25 10,000 pongs', 10],
    ['F26 10,000 pings', 9],
  ])('%s → read or closed 4029, and nobody else notices', async (_name, opcode) => {
    const { raw } = await world.attacker()
    const before = world.chat.stats.get('closed_4029') ?? 0
    await world.beside(async () => {
      raw.write(Buffer.concat(Array.from({ length: 10_000 }, () => frame(opcode))))
      raw.send({ t: 'ping', n: 5 })
      await Promise.race([raw.frame((envelope) => envelope.t === 'pong'), raw.closed()]).catch(() => {})
    })
    // What was not read yet makes the kernel reset the connection, so that the close frame may never arrive.
    if (raw.code !== undefined) expect(world.chat.stats.get('closed_4029')).toBe(before + 1)
    raw.destroy()
  })

  it('F27 a reset in the middle of a frame leaves nothing behind', async () => {
    const { raw } = await world.attacker()
    await world.beside(async () => {
      raw.write(text(hello).subarray(0, 5))
      raw.socket.resetAndDestroy()
    })
  })
})
