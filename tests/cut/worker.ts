import { openPlace } from './place.js'
import type { Cut, Outcome, Size } from './plan.js'
import { runOnce } from './run.js'

/** Runs at once in one process: enough to share commits and to wait for nobody. */
const AT_ONCE = 24

/** What the parent sends: cuts to make. It ends the process by disconnecting. */
export type Order = { first: number; cuts: Cut[] }
/** What comes back: how large a session is, and then what became of each cut. */
export type Report = { size: Size } | { outcomes: Outcome[] }

const { place, close } = await openPlace()
const say = (report: Report) => process.send?.(report)

/** Frames fall together in one way or another; the longest of some sessions is the length of all. */
const size: Size = { toServer: 0, toClient: 0 }
for (let number = 0; number < 3; number++) {
  const whole = await runOnce(place, number)
  if (whole.hang || whole.violations.length > 0) throw new Error(`Without a cut: ${JSON.stringify(whole)}`)
  for (const direction of ['toServer', 'toClient'] as const)
    size[direction] = Math.max(size[direction], whole.size[direction])
}

process.on('message', async ({ first, cuts }: Order) => {
  const outcomes: Outcome[] = []
  const left = cuts.map((cut, index) => ({ cut, number: first + index })).reverse()
  const work = async () => {
    for (let next = left.pop(); next; next = left.pop()) {
      const { size: _, ...outcome } = await runOnce(place, next.number, next.cut)
      outcomes.push(outcome)
    }
  }
  await Promise.all(Array.from({ length: AT_ONCE }, work))
  say({ outcomes })
})
process.on('disconnect', () => void close())
say({ size })
