import type { CutMode } from '@kithwire/server/testing'

export type Direction = 'toServer' | 'toClient'

/** Where the first connection of the device under test ends, and how. */
export interface Cut {
  direction: Direction
  /** Bytes of that direction that go through, and not one more. */
  byte: number
  mode: CutMode
}

const DIRECTIONS: readonly Direction[] = ['toServer', 'toClient']
const MODES: readonly CutMode[] = ['close', 'reset', 'half-open']

/** How much went each way in a session that nothing happened to. */
export type Size = Record<Direction, number>

export interface Range {
  /** Every how many bytes. */
  every: number
  /** The first byte. */
  from: number
  /** The byte before which it ends. */
  to: number
}

/** Every cut of a range, bytes in their order so that a run which was broken off can go on from the last one. */
export function* cuts(size: Size, { every, from, to }: Range): Generator<Cut> {
  const longest = Math.max(size.toServer, size.toClient)
  for (let byte = Math.ceil(from / every) * every; byte < Math.min(to, longest); byte += every)
    for (const direction of DIRECTIONS) {
      if (byte >= size[direction]) continue
      for (const mode of MODES) yield { direction, byte, mode }
    }
}

/** What became of one cut. */
export interface Outcome {
  cut: Cut
  /** False if the session was over before so many bytes had gone. */
  reached: boolean
  /** What the oracle found. */
  violations: string[]
  /** Who waited for what, if nothing moved any more. */
  hang?: string
}
