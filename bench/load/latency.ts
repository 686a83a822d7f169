/** Durations, and their percentiles by the nearest rank. The first `most` are kept. */
export class Latency {
  private readonly values: Float64Array
  private count = 0

  constructor(most = 1_000_000) {
    this.values = new Float64Array(most)
  }

  add(ms: number): void {
    if (this.count < this.values.length) this.values[this.count++] = ms
  }

  restart(): void {
    this.count = 0
  }

  percentile(share: number): number {
    const sorted = this.values.slice(0, this.count).sort()
    return sorted[Math.max(0, Math.ceil(this.count * share) - 1)] ?? Number.NaN
  }
}
