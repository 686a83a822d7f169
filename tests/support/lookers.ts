/** Who waits until something is true, and looks again whenever something happened. */
export class Lookers {
  private readonly waiting = new Set<() => void>()

  /** Something happened. */
  look(): void {
    for (const look of [...this.waiting]) look()
  }

  /** Resolves as soon as a look finds it true. */
  until(done: () => boolean): Promise<void> {
    return new Promise((resolve) => {
      const look = () => {
        if (!done()) return
        this.waiting.delete(look)
        resolve()
      }
      this.waiting.add(look)
      look()
    })
  }
}
