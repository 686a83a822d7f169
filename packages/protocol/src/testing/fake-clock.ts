import type { Runtime, Timer } from '../runtime.js'
import { SeededRandom } from './seeded-random.js'

interface Entry {
  at: number
  order: number
  run: (() => void) | undefined
}

interface Host {
  setImmediate?(run: () => void): unknown
  setTimeout(run: () => void, ms: number): unknown
}

const host = globalThis as unknown as Host

/** Lets every promise that is ready run, to the last one: a macrotask comes after all microtasks. */
const settle = () =>
  new Promise<void>((resolve) => {
    if (host.setImmediate) host.setImmediate(resolve)
    else host.setTimeout(resolve, 0)
  })

/**
 * A Runtime whose time moves only when told. Timers run in the order of their time, then of their making, and all
 * promises that one timer made ready run before the next timer.
 */
export class FakeClock implements Runtime {
  private time = 0
  private wall: number
  private order = 0
  /** A binary heap by (at, order). */
  private heap: Entry[] = []
  private live = 0
  readonly source: SeededRandom

  constructor(options: { seed?: number; now?: number } = {}) {
    this.source = new SeededRandom(options.seed ?? 1)
    this.wall = options.now ?? 1_700_000_000_000
  }

  now(): number {
    return Math.floor(this.wall + this.time)
  }

  monotonic(): number {
    return this.time
  }

  random(): number {
    return this.source.next()
  }

  bytes(length: number): Uint8Array {
    return this.source.bytes(length)
  }

  setTimer(run: () => void, ms: number): Timer {
    const entry: Entry = { at: this.time + Math.max(0, ms), order: this.order++, run }
    this.live++
    push(this.heap, entry)
    return entry
  }

  clearTimer(timer: Timer): void {
    const entry = timer as Entry | undefined
    if (entry?.run === undefined) return
    entry.run = undefined
    this.live--
  }

  /** Timers that are set and have not run. */
  get pending(): number {
    return this.live
  }

  /** Moves the wall clock alone, as an operator or NTP does. */
  jump(ms: number): void {
    this.wall += ms
  }

  /** Milliseconds until the next timer, or undefined. */
  untilNext(): number | undefined {
    this.dropCleared()
    const next = this.heap[0]
    return next && Math.max(0, next.at - this.time)
  }

  /** Moves to the next timer and runs it, without waiting for promises. False if there is none. */
  step(): boolean {
    this.dropCleared()
    const entry = pop(this.heap)
    if (entry?.run === undefined) return false
    this.time = Math.max(this.time, entry.at)
    const run = entry.run
    entry.run = undefined
    this.live--
    run()
    return true
  }

  /** Lets all promises that are ready run. */
  settle(): Promise<void> {
    return settle()
  }

  /** Lets `ms` pass: runs every timer that falls due, in order, and what they make ready. */
  async advance(ms: number): Promise<void> {
    const end = this.time + ms
    await settle()
    for (let wait = this.untilNext(); wait !== undefined && this.time + wait <= end; wait = this.untilNext()) {
      this.step()
      await settle()
    }
    this.time = end
  }

  /** Lets time pass until `done` answers true. Throws when `withinMs` have passed before. */
  async until(done: () => boolean, withinMs = 60_000): Promise<void> {
    const end = this.time + withinMs
    await settle()
    while (!done()) {
      const wait = this.untilNext()
      if (wait === undefined || this.time + wait > end)
        throw new Error(`Expected the condition within ${withinMs} ms of fake time; it did not come true.`)
      this.step()
      await settle()
    }
  }

  private dropCleared(): void {
    while (this.heap.length > 0 && this.heap[0]!.run === undefined) pop(this.heap)
  }
}

const before = (a: Entry, b: Entry) => a.at < b.at || (a.at === b.at && a.order < b.order)

function push(heap: Entry[], entry: Entry): void {
  let index = heap.push(entry) - 1
  while (index > 0) {
    const parent = (index - 1) >> 1
    if (!before(entry, heap[parent]!)) break
    heap[index] = heap[parent]!
    index = parent
  }
  heap[index] = entry
}

function pop(heap: Entry[]): Entry | undefined {
  const top = heap[0]
  const last = heap.pop()
  if (last === undefined || heap.length === 0) return top
  let index = 0
  for (;;) {
    let child = 2 * index + 1
    if (child >= heap.length) break
    if (child + 1 < heap.length && before(heap[child + 1]!, heap[child]!)) child++
    if (!before(heap[child]!, last)) break
    heap[index] = heap[child]!
    index = child
  }
  heap[index] = last
  return top
}
