/** Random numbers as a function of a seed: sfc32, by Chris Doty-Humphrey (PractRand), seeded by splitmix32. */
export class SeededRandom {
  private a: number
  private b: number
  private c: number
  private counter = 1

  constructor(readonly seed: number) {
    let state = seed | 0
    const next = () => {
      state = (state + 0x9e3779b9) | 0
      let z = state ^ (state >>> 16)
      z = Math.imul(z, 0x21f0aaad)
      z ^= z >>> 15
      z = Math.imul(z, 0x735a2d97)
      return (z ^ (z >>> 15)) | 0
    }
    this.a = next()
    this.b = next()
    this.c = next()
    for (let round = 0; round < 12; round++) this.uint32()
  }

  /** An integer in [0, 2^32). */
  uint32(): number {
    const sum = (((this.a + this.b) | 0) + this.counter) | 0
    this.counter = (this.counter + 1) | 0
    this.a = this.b ^ (this.b >>> 9)
    this.b = (this.c + (this.c << 3)) | 0
    this.c = (this.c << 21) | (this.c >>> 11)
    this.c = (this.c + sum) | 0
    return sum >>> 0
  }

  /** Uniform in [0, 1). */
  next(): number {
    return this.uint32() / 0x1_0000_0000
  }

  /** An integer in [low, high]. */
  integer(low: number, high: number): number {
    return low + Math.floor(this.next() * (high - low + 1))
  }

  chance(probability: number): boolean {
    return this.next() < probability
  }

  pick<T>(items: readonly T[]): T {
    return items[this.integer(0, items.length - 1)]!
  }

  bytes(length: number): Uint8Array {
    return Uint8Array.from({ length }, () => this.uint32() & 255)
  }

  /** An independent stream, so that one part of a test does not shift the numbers of another. */
  fork(label: number): SeededRandom {
    return new SeededRandom(this.seed ^ Math.imul(label + 1, 0x9e3779b1))
  }
}
