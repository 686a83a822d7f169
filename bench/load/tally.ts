/** What came to one user from another: numbers from 1, each once, in order, if all is well. */
export class Tally {
  arrived = 0
  double = 0
  outOfOrder = 0
  private highest = 0
  /** Below `highest`, and not there. */
  private readonly missing = new Set<number>()

  add(n: number): void {
    this.arrived++
    if (n > this.highest) {
      for (let skipped = this.highest + 1; skipped < n; skipped++) this.missing.add(skipped)
      this.highest = n
    } else if (this.missing.delete(n)) this.outOfOrder++
    else this.double++
  }

  /** Whether everything up to `last` is there. */
  complete(last: number): boolean {
    return this.highest >= last && this.missing.size === 0
  }

  /** Numbers up to `last` that are not there. */
  lost(last: number): number[] {
    const lost = [...this.missing]
    for (let n = this.highest + 1; n <= last; n++) lost.push(n)
    return lost
  }

  /** A device that comes with nothing. */
  restart(): void {
    this.arrived = 0
    this.highest = 0
    this.missing.clear()
  }
}
