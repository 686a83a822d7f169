import { Bout } from '../run/bout.js'
import { during, exact, pause, type Workload } from './workload.js'

/** What a connection costs that does nothing. */
export function idle(id: string, title: string, { users, settleMs }: { users: number; settleMs: number }): Workload {
  return {
    id,
    title,
    figures: [{ name: 'kilobytes', title: 'KB RSS a connection', digits: 1, ratio: true }],
    applies: ({ id }) => ['ws', 'socket.io', 'memory', 'sqlite'].includes(id.split('@')[0]!),
    run: (peer, surroundings) =>
      during(Bout.begin(peer, { users, shape: 'pairs', devices: 1 }, surroundings), async (bout) => {
        const before = await bout.memory()
        await bout.connect()
        await pause(settleMs)
        const after = await bout.memory()
        return { figures: { kilobytes: (after - before) / users / 1_024 }, exactness: exact }
      }),
  }
}

/** One device that was away for long gets everything. */
export function catchUp(
  id: string,
  title: string,
  { messages, times, warmUps }: { messages: number; times: number; warmUps: number },
): Workload {
  return {
    id,
    title,
    figures: [
      { name: 'cpu', title: 'server CPU, µs a message', digits: 2, ratio: false },
      { name: 'ms', title: 'ms in all', digits: 0, ratio: false },
    ],
    applies: ({ catchesUp, id }) => catchesUp && id !== 'socket.io-normal',
    run: (peer, surroundings) =>
      during(Bout.begin(peer, { users: 2, shape: 'pairs', devices: 1 }, surroundings), async (bout) => {
        const { load } = bout
        await bout.connect({ inFlight: 256 }, [0])
        await load.ask({ do: 'write', user: 0, messages }, 'written')
        const figures = { cpu: 0, ms: 0 }
        let expected = 0
        for (let time = 0; time < warmUps + times; time++) {
          const before = await bout.usage()
          const start = performance.now()
          if (time === 0) await bout.connect({}, [1])
          else {
            await load.ask({ do: 'drop', stay: true }, 'dropped')
            await load.ask({ do: 'return', anew: true }, 'connected')
          }
          expected += messages
          while ((await load.ask({ do: 'count' }, 'counted')).arrived < expected) await pause(10)
          if (time < warmUps) continue
          figures.ms += (performance.now() - start) / times
          const { server, database } = await bout.usage()
          figures.cpu += (server - before.server + database - before.database) / messages / times
        }
        const { arrived } = await load.ask({ do: 'finish' }, 'finished')
        return { figures, exactness: { ...exact, double: arrived - expected } }
      }),
  }
}

/** Everybody comes back at once after a kill. */
export function storm(id: string, title: string, { users }: { users: number }): Workload {
  return {
    id,
    title,
    figures: [{ name: 'ms', title: 'ms until all are back', digits: 0, ratio: true }],
    // What forgets its users cannot be come back to.
    applies: ({ durable, kithwire }) => durable || !kithwire,
    run: (peer, surroundings) =>
      during(Bout.begin(peer, { users, shape: 'pairs', devices: 1 }, surroundings), async (bout) => {
        await bout.connect()
        await bout.load.ask({ do: 'drop', stay: true }, 'dropped')
        await bout.restart()
        const { ms } = await bout.load.ask({ do: 'return' }, 'connected')
        return { figures: { ms }, exactness: exact }
      }),
  }
}

/** A device of somebody with very many friends. */
export function hello(
  id: string,
  title: string,
  { friends, times, warmUps }: { friends: number; times: number; warmUps: number },
): Workload {
  return {
    id,
    title,
    figures: [
      { name: 'ms', title: 'ms until welcome', digits: 1, ratio: false },
      { name: 'cpu', title: 'server CPU, µs a conversation', digits: 2, ratio: false },
    ],
    applies: ({ kithwire }) => kithwire,
    run: (peer, surroundings) =>
      during(Bout.begin(peer, { users: friends + 1, shape: 'star', devices: 1 }, surroundings), async (bout) => {
        const { load } = bout
        await bout.connect({}, [0])
        const figures = { ms: 0, cpu: 0 }
        for (let time = 0; time < warmUps + times; time++) {
          await load.ask({ do: 'drop', stay: true }, 'dropped')
          const before = await bout.usage()
          const { ms } = await load.ask({ do: 'return' }, 'connected')
          const after = await bout.usage()
          if (time < warmUps) continue
          figures.ms += ms / times
          figures.cpu += (after.server - before.server + after.database - before.database) / friends / times
        }
        return { figures, exactness: exact }
      }),
  }
}
