import type { SeededRandom } from '@kithwire/protocol/testing'

const ALPHABET = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-'

export function id(random: SeededRandom, length = random.integer(1, 12)): string {
  let text = ''
  for (let index = 0; index < length; index++) text += ALPHABET[random.integer(0, 63)]
  return text
}

/** What a person, a script or somebody with bad intentions writes. All of it is well-formed. */
const TEXTS = [
  ...['hello', ' ', '😀', '👨‍👩‍👧‍👦', '\u202eevil\u202c', 'a\u0000b', 'é\u0301', '\u2028', '<script>alert(1)</script>'],
  ...['{"$where":"1"}', '__proto__', '%s%n', '$\u007bjndi:ldap://x}', "' OR 1=1 --", '../../etc/passwd', '\r\nX: y'],
]

export function text(random: SeededRandom): string {
  if (random.chance(0.02)) return random.pick(['x', '€', '😀']).repeat(random.integer(1, 2_000))
  return random.pick(TEXTS) + (random.chance(0.3) ? random.pick(TEXTS) : '')
}

export const user = (random: SeededRandom): string =>
  random.pick(['ann', 'ben', '__proto__', 'constructor', 'toString', 'ü', 'a b/c:d%2F', '😀', 'x'.repeat(256)])

/** Integers that fields of the protocol take, the edges among them. */
export const count = (random: SeededRandom): number =>
  random.chance(0.2)
    ? random.pick([0, 1, Number.MAX_SAFE_INTEGER - 1, 2 ** 31, 2 ** 32])
    : random.integer(0, random.chance(0.5) ? 20 : 1_000_000)

export const seq = (random: SeededRandom): number => Math.max(1, count(random))

export const tail = (random: SeededRandom): string => id(random, random.integer(0, 8))

export type Json = unknown

/** Wrong as anything but themselves: what JSON can say and a field of the protocol is not. */
export const NOT_A_STRING: readonly Json[] = [
  0,
  1.5,
  -1,
  true,
  false,
  null,
  [],
  {},
  ['a'],
  { $ne: null },
  { length: 3 },
]
export const NOT_AN_ID: readonly Json[] = [
  ...NOT_A_STRING,
  ...['', ' ', 'a b', '../', 'a\n', 'é', '😀', '\u0000', 'x'.repeat(65), '$ne', 'a.b', '\ud800'],
]
export const NOT_A_USER: readonly Json[] = [...NOT_A_STRING, '', 'a\nb', '\u0000', '\u009f', 'x'.repeat(257), '\udc00']
export const NOT_AN_INTEGER: readonly Json[] = [
  ...['1', '', true, false, null, [], [1], {}, -1, 0.5, 1e21, 2 ** 53, 2 ** 53 + 2, -(2 ** 53)],
]
export const NOT_A_BOOLEAN: readonly Json[] = [0, 1, 'true', '', null, [], {}]
export const NOT_AN_ARRAY: readonly Json[] = [0, 'a', true, null, {}, { length: 0 }, { 0: 'a', length: 1 }]
export const NOT_CONTENT: readonly Json[] = [...NOT_A_STRING, '', '\ud800', 'a\udfffb']
export const NOT_META: readonly Json[] = [
  ...[
    0,
    'a',
    true,
    null,
    [],
    [1],
    { a: { b: { c: { d: {} } } } },
    { constructor: 1 },
    { toString: 1 },
    { a: '\ud800' },
  ],
]

/** JSON that says `__proto__`, which an object literal cannot. */
export const PROTO = JSON.parse('{"__proto__":{"polluted":true}}') as object
