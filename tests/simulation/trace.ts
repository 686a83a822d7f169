import type { FakeClock } from '@kithwire/protocol/testing'

const LOW_PRIME = 0x01000193
const HIGH_PRIME = 0x85ebca6b

/** Everything that happened in a run, as a hash; and as lines, if somebody wants to read them. */
export class Trace {
  readonly lines: string[] = []
  // Within int32, whatever is mixed in: a number beyond it is a thing of its own on V8's heap.
  private low = 0x811c9dc5 | 0
  private high = 0x01000193
  events = 0

  constructor(
    private readonly clock: FakeClock,
    readonly explain: boolean,
  ) {}

  /** Ms of virtual time. */
  get now(): number {
    return this.clock.monotonic()
  }

  note(who: string, what: string, detail = ''): void {
    this.events++
    const time = this.now
    this.mix(Math.floor(time * 1_000))
    this.text(who)
    this.text(what)
    this.text(detail)
    if (this.explain) this.lines.push(`${time.toFixed(3).padStart(11)} ${who.padEnd(10)} ${what.padEnd(9)} ${detail}`)
  }

  /** 64 bits, which is plenty to tell whether two runs were the same. */
  get hash(): string {
    const hex = (word: number) => (word >>> 0).toString(16).padStart(8, '0')
    return hex(this.high) + hex(this.low)
  }

  /** As `mix` for each unit of it, then for its length. */
  private text(text: string): void {
    let { low, high } = this
    for (let index = 0; index <= text.length; index++) {
      const value = index < text.length ? text.charCodeAt(index) : text.length
      low = Math.imul(low ^ value, LOW_PRIME)
      high = Math.imul(high ^ value ^ (low >>> 15), HIGH_PRIME)
    }
    this.low = low
    this.high = high
  }

  /** Two lanes of FNV-1a with different primes. */
  private mix(value: number): void {
    this.low = Math.imul(this.low ^ value, LOW_PRIME)
    this.high = Math.imul(this.high ^ value ^ (this.low >>> 15), HIGH_PRIME)
  }
}
