import type { Exactness } from '../messages.js'
import type { Peer } from '../peers.js'
import type { Surroundings } from '../run/bout.js'

/** What one run of one workload on one peer has shown. */
export interface Run {
  /** By name; each in the unit that `Workload.figures` says. */
  figures: Record<string, number>
  exactness: Exactness
}

export interface Figure {
  name: string
  title: string
  digits: number
  /** Whether tables give it as a multiple of the reference peer's, too. */
  ratio: boolean
}

export interface Workload {
  id: string
  title: string
  figures: readonly Figure[]
  applies(peer: Peer): boolean
  run(peer: Peer, surroundings: Surroundings): Promise<Run>
}

export const exact: Exactness = { lost: 0, double: 0, outOfOrder: 0, acknowledgedButLost: 0 }

export const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms))

/** Does something with a bout and ends it, whatever happens. */
export async function during<B extends { end(): Promise<void> }, T>(
  begun: Promise<B>,
  use: (bout: B) => Promise<T>,
): Promise<T> {
  const bout = await begun
  try {
    return await use(bout)
  } finally {
    await bout.end()
  }
}
