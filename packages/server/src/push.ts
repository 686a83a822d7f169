import { type Cursor, encode, encodeLegacy, type IMessage, type Signal } from '@kithwire/protocol'
import { messagesText } from './frame-text.js'

/** What happened in a conversation, encoded when the first socket asks, once for all. */
export interface Push {
  readonly conversation: string
  readonly kind: 'messages' | 'cursor' | 'signal'
  /** Frames for `kithwire.v1`. */
  frames(): readonly string[]
  /** Bare frames for a legacy socket of `reader`. */
  bare(reader: string): readonly string[]
}

/** Entries, which are encoded in as many frames as they have runs. */
export class MessagesPush implements Push {
  readonly kind = 'messages'
  private encoded: readonly string[] | undefined

  constructor(
    readonly conversation: string,
    private readonly items: readonly IMessage[],
  ) {}

  frames(): readonly string[] {
    this.encoded ??= runs(this.items).map((run) => messagesText(this.conversation, run))
    return this.encoded
  }

  bare(reader: string): readonly string[] {
    return this.items.map((item) => encodeLegacy(item, reader)).filter((text) => text !== undefined)
  }
}

/** One frame, of which bare sockets know nothing. */
export function framePush(kind: 'cursor' | 'signal', frame: Cursor | Signal): Push {
  let text: string | undefined
  return {
    conversation: frame.conversation,
    kind,
    frames() {
      text ??= encode(frame)
      return [text]
    },
    bare: () => [],
  }
}

/** Cuts at every hole: a `messages` frame holds consecutive seqs, which those of one send need not be. */
export function runs(items: readonly IMessage[]): IMessage[][] {
  const parts: IMessage[][] = []
  for (const item of items) {
    const part = parts.at(-1)
    if (part !== undefined && part.at(-1)!.seq + 1 === item.seq) part.push(item)
    else parts.push([item])
  }
  return parts
}
