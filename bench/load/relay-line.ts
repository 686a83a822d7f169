import { bodyOf, Line, numberOf } from './line.js'

/** The bare relay on `ws`: `{to, id, body}` goes in, `{ack}` and `{from, body}` come out. */
export class RelayLine extends Line {
  protected opened(): void {
    this.events.ready()
  }

  protected received(text: string): void {
    const frame = JSON.parse(text)
    if (frame.ack !== undefined) this.events.acknowledged(frame.ack)
    else this.events.arrived(numberOf(frame.body))
  }

  send(numbers: readonly number[]): void {
    for (const n of numbers) this.write(JSON.stringify({ to: this.target.friend, id: n, body: bodyOf(n) }))
  }
}
