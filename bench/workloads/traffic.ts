import { Bout } from '../run/bout.js'
import { during, type Figure, pause, type Workload } from './workload.js'

export interface Traffic {
  users: number
  inFlight: number
  oneWay?: boolean
  devices?: number
  warmMs: number
  measureMs: number
}

/** Messages for which a figure stands, and that a server gets to warm up: on a busy machine they take longer. */
const LEAST = 20_000
const PATIENCE = 8

/** Waits for `ms`, and up to eight times that for enough to happen. */
async function flow({ load }: Bout, ms: number): Promise<void> {
  const start = performance.now()
  const { acknowledged } = await load.ask({ do: 'count' }, 'counted')
  const step = Math.min(ms, 500)
  for (let took = 0; took < PATIENCE * ms; took = performance.now() - start) {
    await pause(step)
    const now = await load.ask({ do: 'count' }, 'counted')
    // Nobody warms up a smoke.
    if (took + step >= ms && (now.acknowledged - acknowledged >= LEAST || ms < 1_000)) return
  }
}

const FIGURES: readonly Figure[] = [
  { name: 'cpu', title: 'server CPU, µs a message', digits: 1, ratio: true },
  { name: 'database', title: 'of it the database, µs', digits: 1, ratio: false },
  { name: 'perSecond', title: 'messages a second', digits: 0, ratio: false },
  { name: 'p50', title: 'ack p50, ms', digits: 2, ratio: true },
  { name: 'p99', title: 'ack p99, ms', digits: 2, ratio: true },
]

/** Friends who write to each other without a pause. */
export function traffic(id: string, title: string, size: Traffic): Workload {
  const { users, inFlight, oneWay = false, devices = 1, warmMs, measureMs } = size
  return {
    id,
    title,
    figures: FIGURES,
    applies: ({ kithwire }) => kithwire || devices === 1,
    run: (peer, surroundings) =>
      during(Bout.begin(peer, { users, shape: 'pairs', devices }, surroundings), async (bout) => {
        const { load } = bout
        await bout.connect({ inFlight, oneWay })
        await load.ask({ do: 'start' }, 'started')
        await flow(bout, warmMs)
        // Again: latencies count from here.
        await load.ask({ do: 'start' }, 'started')
        const before = await bout.usage()
        const first = await load.ask({ do: 'count' }, 'counted')
        await flow(bout, measureMs)
        const last = await load.ask({ do: 'count' }, 'counted')
        const after = await bout.usage()
        const { exactness, p50, p99 } = await load.ask({ do: 'finish' }, 'finished')
        const messages = last.acknowledged - first.acknowledged
        const database = (after.database - before.database) / messages
        const figures: Record<string, number> = {
          cpu: (after.server - before.server) / messages + database,
          perSecond: (messages * 1_000) / (last.at - first.at),
          p50,
          p99,
        }
        if (peer.needsMongo) figures.database = database
        return { figures, exactness }
      }),
  }
}
