import type { SeededRandom } from '@kithwire/protocol/testing'

/** Pieces of JSON, and of what is nearly JSON, that a reader may stumble over. */
const TOKENS = [
  ...['{', '}', '[', ']', ':', ',', '"', '\\', 'null', 'true', '-0', '1e309', '-1', '9007199254740993', '0.1', 'NaN'],
  ...[
    '"__proto__":{"polluted":true},',
    '"constructor":{"prototype":{"polluted":true}},',
    '"toString":1,',
    '"t":"send",',
  ],
  ...[
    '"t":"hello",',
    '"n":1,',
    '\\u0000',
    '\\ud800',
    '\\u2028',
    '\u0000',
    '\ufeff',
    '/**/',
    "'",
    '[[[[[[[[[[',
    '{"a":',
  ],
]

/** Damages a text in one to four places. */
export function mutate(random: SeededRandom, text: string): string {
  let mutant = text
  for (let times = random.integer(1, 4); times > 0; times--) {
    const at = random.integer(0, mutant.length)
    const to = Math.min(mutant.length, at + random.integer(1, random.chance(0.2) ? 200 : 4))
    const [before, part, behind] = [mutant.slice(0, at), mutant.slice(at, to), mutant.slice(to)]
    switch (random.integer(0, 6)) {
      case 0:
        mutant = before + behind
        break
      case 1:
        mutant = before + part + part + behind
        break
      case 2:
        mutant = before + random.pick(TOKENS) + part + behind
        break
      case 3:
        mutant = before + random.pick(TOKENS) + behind
        break
      case 4:
        mutant = before + String.fromCharCode(random.integer(0, random.chance(0.5) ? 127 : 65_535)) + behind
        break
      case 5:
        mutant = random.chance(0.1) ? before + random.pick(['[', '{"a":', '"']).repeat(10_000) + behind : before
        break
      default: {
        const from = random.integer(0, mutant.length)
        mutant = before + mutant.slice(from, from + random.integer(1, 30)) + behind
      }
    }
  }
  return mutant.slice(0, 60_000)
}

/** The same for bytes. */
export function mutateBytes(random: SeededRandom, bytes: Buffer): Buffer {
  let mutant = bytes
  for (let times = random.integer(1, 4); times > 0; times--) {
    const at = random.integer(0, mutant.length)
    const to = Math.min(mutant.length, at + random.integer(1, random.chance(0.2) ? 200 : 4))
    const [before, part, behind] = [mutant.subarray(0, at), mutant.subarray(at, to), mutant.subarray(to)]
    switch (random.integer(0, 4)) {
      case 0:
        mutant = Buffer.concat([before, behind])
        break
      case 1:
        mutant = Buffer.concat([before, part, part, behind])
        break
      case 2:
        mutant = Buffer.concat([before, Buffer.from(random.bytes(random.integer(1, 8))), behind])
        break
      case 3: {
        const flipped = Buffer.from(mutant)
        if (at < flipped.length) flipped[at] = flipped[at]! ^ (1 << random.integer(0, 7))
        mutant = flipped
        break
      }
      default:
        mutant = before
    }
  }
  return mutant
}
