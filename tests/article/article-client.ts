import { once } from 'node:events'
import { WebSocket } from 'ws'

/** The client of the article, by its description, with a tap on the line. */
export class ArticleClient {
  /** Frames as they came, and as they went. */
  readonly received: string[] = []
  readonly sent: string[] = []
  readonly closed: Promise<number>
  pings = 0
  private readonly ws: WebSocket
  private wake = () => {}

  constructor(
    url: string,
    private readonly userId: string,
  ) {
    this.ws = new WebSocket(`${url}/${userId}`)
    this.ws.onmessage = (event) => {
      this.received.push(String(event.data))
      // As the article does with each: whatever has no content is shown as undefined.
      JSON.parse(String(event.data)).content satisfies string
      this.wake()
    }
    this.ws.on('ping', () => {
      this.pings++
      this.wake()
    })
    this.closed = new Promise((resolve) => {
      this.ws.onclose = ({ code }) => resolve(code)
    })
  }

  async opened(): Promise<this> {
    await once(this.ws, 'open')
    return this
  }

  async send(friendId: string, content: string, receiverId: string, type = 'text'): Promise<void> {
    const text = JSON.stringify({ friend: friendId, from: this.userId, to: receiverId, content, type })
    this.sent.push(text)
    await this.ws.send(text)
  }

  close(): void {
    this.ws.close()
  }

  /** Waits for something that arrives. */
  async until(done: () => boolean): Promise<void> {
    while (!done())
      await new Promise<void>((resolve) => {
        this.wake = resolve
      })
  }
}
