import type { StoreChange } from '../client-store.js'
import { type Meta, type RawTransaction, STORES } from './indexed-db-schema.js'

/** One transaction: its stores, and what is to be told once it is committed. */
export class Work {
  readonly changes: StoreChange[] = []
  private loaded: Promise<Meta> | undefined
  private touched = false

  constructor(private readonly raw: RawTransaction) {}

  get conversations() {
    return this.raw.objectStore('conversations')
  }

  get entries() {
    return this.raw.objectStore('entries')
  }

  get cids() {
    return this.raw.objectStore('cids')
  }

  get outbox() {
    return this.raw.objectStore('outbox')
  }

  get failed() {
    return this.raw.objectStore('failed')
  }

  /** The record of the device; what is changed in it is kept after `touch`. */
  meta(): Promise<Meta> {
    this.loaded ??= this.raw
      .objectStore('meta')
      .get('device')
      .then((meta) => meta ?? { next: 0, count: 0, bytes: 0 })
    return this.loaded
  }

  /** As {@link meta}, for changing it. */
  async edit(): Promise<Meta> {
    this.touched = true
    return this.meta()
  }

  /** Forgets everything. */
  async clear(): Promise<void> {
    for (const name of STORES) this.write(this.raw.objectStore(name).clear())
  }

  /** A request whose failure is noticed by the end of the transaction, and by nobody before. */
  write(request: Promise<unknown>): void {
    request.catch(() => {})
  }

  tell(change: StoreChange): void {
    this.changes.push(change)
  }

  /** Resolves when everything is on the disk. */
  async commit(): Promise<void> {
    if (this.touched) this.write(this.raw.objectStore('meta').put(await this.meta(), 'device'))
    // Not there in browsers of before 2021, where it ends by itself.
    this.raw.commit?.()
    await this.raw.done
  }

  /** Undoes everything. */
  abort(): void {
    this.raw.done.catch(() => {})
    try {
      this.raw.abort()
    } catch {
      // It has ended by itself.
    }
  }
}
