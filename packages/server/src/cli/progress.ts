import type { Runtime } from '@kithwire/protocol'

/** The part of a stream that progress is shown on. */
export interface Screen {
  readonly isTTY?: boolean | undefined
  readonly columns?: number | undefined
  write(text: string): unknown
}

const BAR = 24
/** Ms between two pictures of the bar, and between two lines where nobody watches a terminal. */
const EVERY = { bar: 100, line: 2_000 }

const count = (value: number): string => value.toLocaleString('en-US')

/** How far something long has got: a bar on a terminal, a line now and then in a log. */
export class Progress {
  private done = 0
  private shownAt: number
  private readonly startedAt: number

  constructor(
    private readonly screen: Screen,
    private readonly runtime: Pick<Runtime, 'monotonic'>,
    private readonly label: string,
    /** How much there is to do, as far as it is known. */
    private readonly total: number,
  ) {
    this.startedAt = runtime.monotonic()
    this.shownAt = this.startedAt
    if (this.screen.isTTY) this.draw()
  }

  add(amount: number): void {
    this.done += amount
    const now = this.runtime.monotonic()
    if (now - this.shownAt < (this.screen.isTTY ? EVERY.bar : EVERY.line)) return
    this.shownAt = now
    this.draw()
  }

  /** The last picture, which stays. */
  end(): void {
    this.draw()
    if (this.screen.isTTY) this.screen.write('\n')
  }

  private draw(): void {
    const text = this.text()
    if (this.screen.isTTY) this.screen.write(`\r${text.slice(0, (this.screen.columns ?? 80) - 1)}\u001b[K`)
    else this.screen.write(`${text}\n`)
  }

  private text(): string {
    // Rows that came after the count are done as well.
    const total = Math.max(this.total, this.done)
    const part = total === 0 ? 1 : this.done / total
    const filled = Math.round(part * BAR)
    const bar = this.screen.isTTY ? `${'█'.repeat(filled)}${'░'.repeat(BAR - filled)} ` : ''
    const seconds = (this.runtime.monotonic() - this.startedAt) / 1_000
    const rate = seconds > 0 ? this.done / seconds : 0
    const left = rate > 0 && this.done < total ? `, ${duration((total - this.done) / rate)} left` : ''
    const speed = rate > 0 ? `, ${count(Math.round(rate))}/s` : ''
    return `${this.label} ${bar}${Math.floor(part * 100)}% ${count(this.done)} of ${count(total)}${speed}${left}`
  }
}

const duration = (seconds: number): string =>
  seconds < 60
    ? `${Math.ceil(seconds)} s`
    : seconds < 3_600
      ? `${Math.ceil(seconds / 60)} min`
      : `${(seconds / 3_600).toFixed(1)} h`
