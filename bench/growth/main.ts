import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { machineOf } from '../machine.js'
import { fixed } from '../report/numbers.js'
import { aligned } from '../report/table.js'
import { friendsGrowth } from './friends.js'
import { lengthGrowth } from './length.js'

const USAGE = `npm run bench -- --growth [--to entries] [--friends n]

What storing, reading and saying hello cost as a conversation, or the number of friends, grows. SQLite, FULL.
  --to n        entries of the longest conversation, a power of ten from 1000 (default 100000). What was written is kept
                in .cache/bench/growth, so that a longer run goes on where the last one ended
  --friends n   friends of whoever has most (default 5000)`

/** The entry of `npm run bench -- --growth`. */
const root = fileURLToPath(new URL('../..', import.meta.url))

function readSizes(): { to: number; friends: number } {
  try {
    const { values } = parseArgs({
      options: {
        growth: { type: 'boolean' },
        to: { type: 'string', default: '100000' },
        friends: { type: 'string', default: '5000' },
      },
    })
    const [to, friends] = [values.to, values.friends].map(Number) as [number, number]
    if (!Number.isInteger(Math.log10(to)) || to < 1_000)
      throw new Error(`--to: expected a power of ten from 1000, came ${values.to}`)
    if (!(friends >= 10)) throw new Error(`--friends: expected a number from 10, came ${values.friends}`)
    return { to, friends }
  } catch (error) {
    console.error(`${(error as Error).message}\n\n${USAGE}`)
    process.exit(1)
  }
}

const { to, friends } = readSizes()
console.log(`${machineOf()}\n`)

console.log('µs of processor time, in a conversation of so many entries (× at 1,000)')
const rows = await lengthGrowth(root, join(root, '.cache/bench/growth'), to)
const first = rows[0]!
const cell = (value: number, base: number) => `${fixed(value, 1)} (${fixed(value / base, 2)}×)`
console.log(
  aligned([
    ['entries', 'append, an entry', 'newest page of 50, an entry', 'page of 50 anywhere, an entry', 'head'],
    ...rows.map(({ entries, append, newest, anywhere, head }) => [
      fixed(entries, 0),
      cell(append, first.append),
      cell(newest, first.newest),
      cell(anywhere, first.anywhere),
      cell(head, first.head),
    ]),
  ]),
)

console.log('\nhello of a user with so many friends')
console.log(
  aligned([
    ['friends', 'ms until welcome', 'server CPU, ms', 'µs a friend'],
    ...(await friendsGrowth(root, join(root, '.cache/bench/data'), friends)).map(({ count, ms, cpu }) => [
      fixed(count, 0),
      fixed(ms, 1),
      fixed((cpu * count) / 1_000, 2),
      fixed(cpu, 1),
    ]),
  ]),
)
