import { SeededRandom } from '@kithwire/protocol/testing'

/** What one input did wrong, and how to see it again. */
export interface Violation {
  kind: string
  index: number
  what: string
  input: string
}

/** What a kind of fuzzing reports. */
export interface Outcome {
  kind: string
  /** Inputs that were judged: texts, frames, handshakes. */
  inputs: number
  /** What became of them, by name. */
  counts: Record<string, number>
  violations: Violation[]
  hangs: number
  /** The slowest input, ms, the best of its tries. */
  slowest: number
  /** Bytes of heap after a warm-up and at the end, both after a collection. */
  heap: [before: number, after: number]
}

/** No input may keep the server busy for longer, ms. */
export const HANG_MS = 50
const MOST_VIOLATIONS = 20

export interface Options {
  seed: number
  /** How many inputs there are to be. */
  inputs: number
  /** Only the input with this index, to see it again. */
  only?: number
}

/** Every input is a function of the seed and its index alone, so that one can be replayed. */
export const randomOf = ({ seed }: Options, index: number): SeededRandom =>
  new SeededRandom(seed ^ Math.imul(index + 1, 0x9e3779b1))

export class Tally implements Outcome {
  inputs = 0
  readonly counts: Record<string, number> = {}
  readonly violations: Violation[] = []
  hangs = 0
  slowest = 0
  heap: [number, number] = [0, 0]

  constructor(readonly kind: string) {}

  count(name: string, by = 1): void {
    this.counts[name] = (this.counts[name] ?? 0) + by
  }

  wrong(index: number, what: string, input: unknown): void {
    const text = typeof input === 'string' ? input : JSON.stringify(input)
    if (this.violations.length < MOST_VIOLATIONS)
      this.violations.push({ kind: this.kind, index, what, input: JSON.stringify(text).slice(0, 2_000) })
  }

  /**
   * Takes note of how long an input took. One that seems to hang is tried again, by the time that this process had the
   * processor: others may have had it meanwhile, or a collection may have come in between.
   */
  async took(ms: number, index: number, input: unknown, again: () => unknown): Promise<void> {
    let best = ms
    for (let tries = 0; best > HANG_MS && tries < 3; tries++) {
      this.count('slow once')
      const before = process.cpuUsage()
      await again()
      const { user, system } = process.cpuUsage(before)
      best = Math.min(best, (user + system) / 1_000)
    }
    this.slowest = Math.max(this.slowest, best)
    if (best <= HANG_MS) return
    this.hangs++
    this.wrong(index, `took ${Math.round(best)} ms`, input)
  }

  /** The heap after a collection; the first call is the measure for the later ones. */
  measure(): void {
    const { gc } = globalThis as { gc?: () => void }
    if (gc === undefined) throw new Error('Expected node --expose-gc.')
    for (let times = 0; times < 3; times++) gc()
    const used = process.memoryUsage().heapUsed
    if (this.heap[0] === 0) this.heap[0] = used
    this.heap[1] = used
  }
}

const PROTOTYPES = [Object.prototype, Array.prototype, Function.prototype, String.prototype, Map.prototype]
const names = () => PROTOTYPES.map((prototype) => Reflect.ownKeys(prototype).length).join()
const before = names()

/** Whether an input has left something on what all objects share. */
export const isPolluted = (): boolean => names() !== before || 'polluted' in {}
