/** Counters by name. Names are fixed words of the code, never input, so that their number is bounded. */
export class Stats {
  private readonly counters = new Map<string, number>()

  add(name: string, count = 1): void {
    this.counters.set(name, (this.counters.get(name) ?? 0) + count)
  }

  /** A copy, by name. */
  snapshot(): ReadonlyMap<string, number> {
    return new Map(this.counters)
  }
}
