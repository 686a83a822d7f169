import { Bout } from '../run/bout.js'
import { during, type Figure, pause, type Workload } from './workload.js'

export interface Trouble {
  users: number
  inFlight: number
  /** How often it happens, and ms between one time and the next. */
  times: number
  everyMs: number
}

const FIGURES: readonly Figure[] = [{ name: 'messages', title: 'messages', digits: 0, ratio: false }]

/** Traffic during which something happens, several times; the question is what is lost. */
function trouble(
  id: string,
  title: string,
  { users, inFlight, times, everyMs }: Trouble,
  applies: Workload['applies'],
  strike: (bout: Bout) => Promise<unknown>,
): Workload {
  return {
    id,
    title,
    figures: FIGURES,
    applies,
    run: (peer, surroundings) =>
      during(Bout.begin(peer, { users, shape: 'pairs', devices: 1 }, surroundings), async (bout) => {
        await bout.connect({ inFlight })
        await bout.load.ask({ do: 'start' }, 'started')
        for (let time = 0; time < times; time++) {
          await pause(everyMs)
          await strike(bout)
        }
        await pause(everyMs)
        const { exactness, acknowledged } = await bout.load.ask({ do: 'finish' }, 'finished')
        return { figures: { messages: acknowledged }, exactness }
      }),
  }
}

/** Every socket is destroyed by its client, and is back at once. */
export const drop = (id: string, title: string, size: Trouble): Workload =>
  trouble(
    id,
    title,
    size,
    () => true,
    (bout) => bout.load.ask({ do: 'drop', stay: false }, 'dropped'),
  )

/** kill -9 of the server, and a new one on the same data. */
export const kill = (id: string, title: string, size: Trouble): Workload =>
  trouble(
    id,
    title,
    size,
    ({ durable }) => durable,
    (bout) => bout.restart(),
  )
