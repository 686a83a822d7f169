import type { SeededRandom } from '@kithwire/protocol/testing'
import { type Attack, overTcp } from './batches.js'
import { split } from './frames.js'
import { mutateBytes } from './mutate.js'
import { type Options, randomOf, type Tally } from './tally.js'

/** Every status that is documented for what is asked here; 500 is none of them. */
const STATUSES = new Set([
  101, 200, 400, 401, 403, 404, 405, 408, 411, 413, 414, 415, 417, 426, 429, 431, 501, 503, 505,
])

/** Handshakes by grammar and by mutation, over TCP: a documented answer or none, and 101 only for what is one. */
export function fuzzHandshakes(options: Options, tally: Tally): Promise<void> {
  return overTcp(
    options,
    tally,
    (index) => attackOf(randomOf(options, index)),
    ({ pieces }, { bytes }) => judge(Buffer.concat(pieces).toString('latin1'), bytes.toString('latin1'), tally),
  )
}

const PATHS = [
  ...['/chat/ws', '/chat/ws', '/chat/ws', '/ws/ann', '/ws/ann', '/ws/', '/ws/..', '/ws/%2e%2e', '/ws/%00', '/ws/%ff'],
  ...[
    '/ws/ann/',
    '//chat/ws',
    '/chat/ws?ticket=x',
    '*',
    'http://a/chat/ws',
    '/friendships',
    '/messages?friendId[$ne]=x',
  ],
]
const METHODS = ['GET', 'GET', 'GET', 'GET', 'POST', 'TRACE', 'OPTIONS', 'CONNECT', 'get', 'PRI', '']

/** Each: a header, what it ought to be, and what it may be instead. */
const HEADERS: [name: string, good: string | undefined, odd: readonly string[]][] = [
  ['Host', 'localhost', ['', 'a b', 'localhost, evil', '[::1', 'a:99999']],
  ['Connection', 'Upgrade', ['close', 'keep-alive, Upgrade', 'upgrade, upgrade', '', 'Upgrade;']],
  ['Upgrade', 'websocket', ['WebSocket', 'h2c', 'websocket, h2c', '', 'websocket ']],
  ['Sec-WebSocket-Version', '13', ['8', '7', '99', '', '13, 8', '1e1', '0013']],
  ['Sec-WebSocket-Key', 'dGhlIHNhbXBsZSBub25jZQ==', ['', 'YWJj', '=', 'dGhlIHNhbXBsZSBub25jZQ', 'x'.repeat(10_000)]],
  [
    'Sec-WebSocket-Protocol',
    'kithwire.v1',
    ['', 'a b', 'kithwire.v1, kithwire.v1', 'kithwire.v9', ',', 'kithwire.bearer.~'],
  ],
  ['x-user', 'ann', ['', 'ben', '__proto__', 'a\u00ffb', 'x'.repeat(300)]],
  ['Origin', undefined, ['null', 'http://localhost', 'https://evil.com', 'http://localhost.evil.com', '']],
  ['Cookie', undefined, ['a=b', ';;;', 'x'.repeat(5_000)]],
  [
    'Sec-WebSocket-Extensions',
    undefined,
    ['permessage-deflate', ';;;', 'permessage-deflate; client_max_window_bits=99'],
  ],
  ['Content-Length', undefined, ['0', '5', '-1', '1e9', '99999999999999999999']],
  ['Transfer-Encoding', undefined, ['chunked', 'identity', 'chunked, chunked', 'x']],
  ['X-Forwarded-For', undefined, ['1.2.3.4', 'x'.repeat(1_000)]],
  ['Expect', undefined, ['100-continue', 'x']],
]

function attackOf(random: SeededRandom): Attack {
  // Few things wrong at a time, or all would stop at the first check.
  const odds = random.pick([0, 0.03, 0.1, 0.3])
  const odd = () => random.chance(odds)
  const lines = [
    `${odd() ? random.pick(METHODS) : 'GET'} ${odd() ? random.pick(PATHS) : random.pick(['/chat/ws', '/ws/ann'])} HTTP/${odd() ? random.pick(['1.0', '2.0', '0.9', '']) : '1.1'}`,
  ]
  for (const [name, good, bad] of HEADERS) {
    const value = odd() ? random.pick(bad) : good
    // A bare handshake names no subprotocol.
    if (value === undefined || odd() || (name === 'Sec-WebSocket-Protocol' && lines[0]!.includes('/ws/ann'))) continue
    lines.push(`${odd() ? name.toUpperCase() : name}:${odd() ? '' : ' '}${value}`)
    if (odd()) lines.push(`${name}: ${random.pick([good ?? '', ...bad])}`)
  }
  if (odd()) for (let count = random.pick([10, 300, 3_000]); count > 0; count--) lines.push('a: b')
  const request = Buffer.from(`${lines.join(odd() ? '\n' : '\r\n')}\r\n\r\n`, 'latin1')
  const sent = random.chance(0.3) ? mutateBytes(random, request) : request
  return { pieces: split(random, random.chance(0.1) ? Buffer.concat([sent, sent]) : sent), inputs: 1 }
}

function judge(request: string, answer: string, tally: Tally): string | undefined {
  if (answer === '') {
    tally.count('no answer')
    return undefined
  }
  const [, status] = /^(?:HTTP\/1\.1 100 Continue\r\n\r\n)*HTTP\/1\.1 ([0-9]{3}) /.exec(answer) ?? []
  tally.count(`answered ${status}`)
  if (!STATUSES.has(Number(status))) return `answered ${JSON.stringify(answer.slice(0, 100))}`
  if (status === '101' && !isHandshake(request, answer)) return 'upgraded what is no handshake'
  return /at .*\.[jt]s:[0-9]+/.test(answer) ? 'answered with a stack' : undefined
}

/** What RFC 6455, 4.2.1 asks for at the least, read by nobody's parser but this. */
function isHandshake(request: string, answer: string): boolean {
  const head = request.split(/\r?\n\r?\n/, 1)[0]!
  const has = (pattern: RegExp) => pattern.test(head)
  return (
    has(/^GET \/(chat\/ws|ws\/[^/?\s]+)(\?\S*)? HTTP\/1\.1/) &&
    has(/^upgrade:\s*websocket\s*$/im) &&
    has(/^connection:.*upgrade/im) &&
    has(/^sec-websocket-version:\s*(13|8)\s*$/im) &&
    !has(/^origin:\s*(null|https:\/\/evil\.com)\s*$/im) &&
    has(/^sec-websocket-key:\s*[+/0-9A-Za-z]{22}==\s*$/im) &&
    // Who has no credentials is let in only to be told so, by a close.
    (has(/^x-user:\s*\S/im) || /\r\n\r\n\x88.\x11\x95/s.test(answer))
  )
}
