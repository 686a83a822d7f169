import { setTimeout as delay } from 'node:timers/promises'
import type { SeededRandom } from '@kithwire/protocol/testing'
import { FAILPOINTS } from './failpoints.js'
import type { KilledServer } from './killed-server.js'
import type { Load } from './load.js'

/** How a server is to end; all of it a function of the seed. */
export interface Fate {
  /** A failpoint as `name:count`; without one it is killed from outside. */
  fail?: string
  /** Killed so many ms after its start, as by a supervisor that has lost its patience, instead of under load. */
  startingMs?: number
  /** Acknowledgements after which it is killed, if nothing else has ended it. */
  enough: number
  /** Ms from there to the kill: not the moment at which a client has read an answer, but any. */
  afterMs: number
}

export function drawFate(random: SeededRandom): Fate {
  const how = random.next()
  const point = random.pick(Object.keys(FAILPOINTS))
  const at = random.integer(1, FAILPOINTS[point]!)
  const fate: Fate = { enough: random.integer(20, 400), afterMs: random.next() * 25 }
  if (how < 0.5) {
    fate.fail = `${point}:${at}`
    fate.enough += 600
  }
  if (how >= 0.9) fate.startingMs = random.next() * 600
  return fate
}

/** How the servers ended, and how long they took to be of use. */
export class Deaths {
  readonly byName: Record<string, number> = { 'at random': 0, 'while starting': 0 }
  /** Ms from the start of the process to the first acknowledgement of something new. */
  readonly servingMs: number[] = []

  /** Waits for the end of a server, and brings it about. */
  async await(server: KilledServer, { fail = '', startingMs, enough, afterMs }: Fate, load: Load): Promise<void> {
    const ended = { yet: false }
    void server.ready.then(async () => {
      const before = load.acknowledged
      await load.until(() => ended.yet || load.acknowledged > before)
      if (!ended.yet) this.servingMs.push(performance.now() - server.started)
    })
    const goal = load.acknowledged + enough
    if (startingMs !== undefined) await Promise.race([server.died, delay(startingMs)])
    else {
      await Promise.race([server.died, load.until(() => load.acknowledged >= goal)])
      if (!server.suicide) await Promise.race([server.died, delay(afterMs)])
    }
    await server.kill()
    ended.yet = true
    const name = server.suicide ? fail.split(':')[0]! : startingMs === undefined ? 'at random' : 'while starting'
    this.byName[name] = (this.byName[name] ?? 0) + 1
  }
}
