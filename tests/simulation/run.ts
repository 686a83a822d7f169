import { DEFAULT_LIMITS } from '@kithwire/protocol'
import { inMacrotask, provenDrain } from './drain.js'
import { Faults } from './faults.js'
import { finish, leave } from './finish.js'
import { Members } from './members.js'
import { Workload } from './workload.js'
import { World } from './world.js'

/** What is left out of a run: faults and doings of people, by number. The rest stays the same. */
export interface Without {
  faults: ReadonlySet<number>
  doings: ReadonlySet<number>
}

export interface Result {
  seed: number
  /** Of everything that happened. Two runs of a seed have the same. */
  hash: string
  /** Faults that hit something, by name and by what was going on; `all` is their number. */
  faults: Record<string, Record<string, number>>
  /** How many faults were tried, and how much people did. */
  tried: number
  doings: number
  violations: string[]
  events: number
  /** The trace, if it was asked for. */
  lines: string[]
}

/** Ms of virtual time within which everybody must have everything once faults have stopped. */
const SETTLE_MS = 45_000
/** Ms more, if something was stored that nobody on the server could know of: the next look at the heads, and a pull. */
const STALE_MS = 75_000
/** Ms that closing handshakes may take when everybody leaves. */
const LEAVE_MS = 45_000

/** What makes one of two servers miss something. */
const DEAFENING = /^(bus|server|restore|pause|store|slow|failing|disk|sync)/

/** Whether somebody may have to wait for a server's next look at the log. */
const mayBeStale = ({ orphaned, bus, faults }: World): boolean =>
  orphaned || (bus !== undefined && Object.keys(faults).some((fault) => DEAFENING.test(fault)))

const NOTHING: Without = { faults: new Set(), doings: new Set() }

const rejections: unknown[] = []
process.on('unhandledRejection', (reason) => rejections.push(reason))

/** Runs one seed in a macrotask of its own, in which it stays. */
export async function runOne(seed: number, options: { explain: boolean; without?: Without }): Promise<Result> {
  rejections.length = 0
  const result = await inMacrotask(() => simulate(seed, options.explain, options.without ?? NOTHING))
  // Node reports rejections that nobody handled when the macrotask is over.
  await inMacrotask(() => {})
  for (const reason of rejections)
    result.violations.push(`rejection ${reason instanceof Error ? reason.stack : reason}`)
  return result
}

function simulate(seed: number, explain: boolean, without: Without): Result {
  const drain = provenDrain()
  const world = new World(seed, explain)
  const { clock, trace, plan, verdict } = world
  const pass = (ms: number) => {
    let over = false
    clock.setTimer(() => {
      over = true
    }, ms)
    drain()
    while (!over && verdict.violations.length < 20) {
      clock.step()
      drain()
      faults.look()
    }
  }

  const members = new Members(world)
  const faults = new Faults(world, members, world.random.fork(5), without.faults)
  const workload = new Workload(world, world.random.fork(6), without.doings)
  trace.note('world', 'plan', JSON.stringify(plan))
  world.start()
  workload.start()
  faults.schedule()
  pass(plan.durationMs)

  trace.note('world', 'calm')
  workload.stop()
  faults.stop()
  // What waits in outboxes is let through at the rate of its user, however well everything is.
  pass(SETTLE_MS + (world.ledger.backlog * 1_000) / DEFAULT_LIMITS.rate)
  finish(world)
  if (
    verdict.violations.length > 0 &&
    mayBeStale(world) &&
    verdict.violations.every((violation) => violation.startsWith('I8'))
  ) {
    verdict.violations.length = 0
    trace.note('world', 'stale')
    pass(STALE_MS)
    finish(world)
  }

  trace.note('world', 'leave')
  const left = leave(world)
  pass(LEAVE_MS)
  left()

  return {
    seed,
    hash: trace.hash,
    faults: world.faults,
    tried: plan.faults,
    doings: workload.count,
    violations: verdict.violations,
    events: trace.events,
    lines: trace.lines,
  }
}
