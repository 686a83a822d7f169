import type { Bus, BusListener } from '../bus.js'

/** One end of a bus that a test makes lose, double, delay and reorder what arrives, or breaks. */
export class WeatherBus implements Bus {
  up = true
  /** What becomes of a text that arrives: how often it is handed over, now. */
  copies: (text: string) => number = () => 1
  /** Keeps what arrives until `release`. */
  holding = false
  private readonly held: (() => void)[] = []
  private listener: BusListener | undefined

  constructor(private readonly bus: Bus) {}

  /** Hands over what was kept, the last first. */
  release(): void {
    this.holding = false
    for (const give of this.held.splice(0).reverse()) give()
  }

  /** Breaks it, or repairs it. */
  turn(up: boolean): void {
    this.up = up
    this.listener?.state(up)
  }

  listen(listener: BusListener | undefined): void {
    this.listener = listener
    this.bus.listen(
      listener && {
        state: (up) => listener.state(up),
        hint: (user, text) => {
          const give = () => listener.hint(user, text)
          for (let copy = this.up ? this.copies(text) : 0; copy > 0; copy--) {
            if (this.holding) this.held.push(give)
            else give()
          }
        },
      },
    )
  }

  publish(user: string, text: string): void {
    if (this.up) this.bus.publish(user, text)
  }

  subscribe(user: string): Promise<void> {
    return this.bus.subscribe(user)
  }

  unsubscribe(user: string): void {
    this.bus.unsubscribe(user)
  }
}
