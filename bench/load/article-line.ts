import { bodyOf, Line, numberOf } from './line.js'

/** The article's client: messages with the fields of its schema, on a path that ends in the user. */
export class ArticleLine extends Line {
  protected override get path(): string {
    return `/ws/${this.target.user}`
  }

  protected opened(): void {
    this.events.ready()
  }

  protected received(text: string): void {
    const frame = JSON.parse(text)
    if (frame.ack !== undefined) this.events.acknowledged(frame.ack)
    else this.events.arrived(numberOf(frame.content))
  }

  send(numbers: readonly number[]): void {
    const { user, friend, conversation } = this.target
    for (const n of numbers)
      this.write(JSON.stringify({ friend: conversation, from: user, to: friend, type: 'text', content: bodyOf(n) }))
  }
}
