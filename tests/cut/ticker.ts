/** Turns of the event loop without anything new after which a run waits for time alone. */
const QUIET_TURNS = 4
/** Turns without which no time makes a hang: the process itself may have been away. */
const STUCK_TURNS = 200

export interface Watched {
  /** Changes whenever something came through or happened. */
  progress(): number
  /** Called each turn, whether something moves or not. */
  turn(): void
  /** Nothing moves: lets time pass for whoever waits for it; false if nobody does. */
  idle(): boolean
}

export interface Watch {
  /** Resolves if nothing moved for too long and no time could be let pass. */
  readonly stuck: Promise<'stuck'>
  /** Resolves when it is true; looks once each turn. */
  until(done: () => boolean): Promise<void>
  end(): void
}

interface Entry extends Watched {
  last: number
  quiet: number
  movedAt: number
  stuck(): void
  waiting: { done: () => boolean; resolve: () => void }[]
}

/**
 * Watches runs from turn to turn of the event loop: everything of a run happens in this process, so that some turns
 * without news mean that it waits for time alone. Being wrong about that costs a client its patience, and no promise.
 */
export class Ticker {
  private readonly entries = new Set<Entry>()

  /** @param stuckMs of real time without any progress that make a hang */
  constructor(private readonly stuckMs: number) {}

  watch(watched: Watched): Watch {
    let stuck = () => {}
    const whenStuck = new Promise<'stuck'>((resolve) => {
      stuck = () => resolve('stuck')
    })
    const entry: Entry = { ...watched, last: -1, quiet: 0, movedAt: performance.now(), stuck, waiting: [] }
    if (this.entries.size === 0) setImmediate(this.turn)
    this.entries.add(entry)
    return {
      stuck: whenStuck,
      until: (done) => new Promise((resolve) => entry.waiting.push({ done, resolve })),
      end: () => void this.entries.delete(entry),
    }
  }

  private readonly turn = (): void => {
    for (const entry of this.entries) this.look(entry)
    if (this.entries.size > 0) setImmediate(this.turn)
  }

  private look(entry: Entry): void {
    entry.turn()
    const progress = entry.progress()
    if (progress !== entry.last) {
      entry.last = progress
      entry.quiet = 0
      entry.movedAt = performance.now()
      for (const waiter of [...entry.waiting]) {
        if (!waiter.done()) continue
        entry.waiting.splice(entry.waiting.indexOf(waiter), 1)
        waiter.resolve()
      }
    } else if (++entry.quiet >= QUIET_TURNS) {
      if (entry.idle()) entry.quiet = 0
      else if (entry.quiet > STUCK_TURNS && performance.now() - entry.movedAt > this.stuckMs) entry.stuck()
    }
  }
}
