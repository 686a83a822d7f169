/** An item that was alone in flight at this many closes that blame the client is set aside. */
const STRIKES = 2

/** Closes that a frame of ours may have caused. */
const BLAMING: ReadonlySet<number> = new Set([1003, 1007, 1008, 1009])

interface Suspect {
  conversation: string
  cid: string
  strikes: number
}

/**
 * Items that may have caused a close. Until they are settled one item is in flight at a time: with company, a healthy
 * one would be blamed.
 */
export class Suspects {
  private readonly items = new Map<string, Suspect>()

  static blames(code: number): boolean {
    return BLAMING.has(code)
  }

  get any(): boolean {
    return this.items.size > 0
  }

  /** Where they are. */
  get conversations(): string[] {
    return [...this.items.values()].map((suspect) => suspect.conversation)
  }

  /** Suspects what was in flight. Returns the one item that has proved guilty, if any. */
  add(flight: readonly { conversation: string; cid: string }[]): Suspect | undefined {
    let guilty: Suspect | undefined
    for (const { conversation, cid } of flight) {
      const key = `${conversation} ${cid}`
      const suspect = this.items.get(key) ?? { conversation, cid, strikes: 0 }
      this.items.set(key, suspect)
      if (flight.length === 1 && ++suspect.strikes >= STRIKES) guilty = suspect
    }
    return guilty
  }

  /** True if it was one. */
  clear(conversation: string, cid: string): boolean {
    return this.items.delete(`${conversation} ${cid}`)
  }

  /** Clears those of a conversation that do not wait any more. */
  keep(conversation: string, waiting: readonly { cid: string }[]): void {
    for (const suspect of this.items.values())
      if (suspect.conversation === conversation && !waiting.some((row) => row.cid === suspect.cid))
        this.clear(conversation, suspect.cid)
  }
}
