import { isCountable } from '@kithwire/protocol'
import type {
  CountRange,
  Entry,
  FriendshipRow,
  FriendshipRows,
  Head,
  Mark,
  Outcome,
  Range,
  Send,
  Store,
  Stored,
} from '../../packages/server/src/store.js'
import { mergeMark } from '../../packages/server/src/stores/merge-mark.js'
import type { Disk, JournalRecord } from './disk.js'
import type { Journal } from './journal.js'
import type { Process } from './process.js'

const ALPHABET = 'abcdefghijklmnopqrstuvwxyz0123456789'

/**
 * The store contract over a simulated journal, as one server process sees it: every call takes time, writes resolve
 * only when they are durable, reads see only what is, and calls of a dead process are heard of no more.
 */
export class JournalStore implements Store {
  readonly durable = true
  readonly friendships: FriendshipRows
  /** Writes that have not reached the journal; when the process dies, each of them still may. */
  private readonly pending = new Set<() => void>()
  /** Ids of entries that are written, and whose append has not been answered. */
  private readonly unanswered = new Set<string>()

  /** Conversations of appends that are under way. */
  private readonly appending = new Set<string>()

  constructor(
    private readonly journal: Journal,
    private readonly process: Process,
    readonly parallel: number,
  ) {
    this.friendships = {
      get: (id) => this.reading((disk) => disk.rows.get(id)),
      between: (one, other) => this.reading((disk) => [...disk.rows.values()].find((row) => pair(row, one, other))),
      of: (user) =>
        this.reading((disk) => [...disk.rows.values()].filter((row) => row.user1 === user || row.user2 === user)),
      put: (row, expected) => this.writing(() => this.put(row, expected)),
    }
    process.onExit(() => {
      for (const run of [...this.pending]) if (journal.random.chance(0.5)) run()
      this.pending.clear()
      for (const id of this.unanswered) journal.orphans.add(id)
    })
  }

  append(sends: readonly Send[]): Promise<Outcome[]> {
    const made: string[] = []
    const conversations = new Set(sends.map(({ conversation }) => conversation))
    for (const conversation of conversations) {
      // The contract promises each conversation to one append at a time, and adapters count on it.
      if (this.appending.has(conversation)) this.journal.misused(`two appends to ${conversation} at once`)
      this.appending.add(conversation)
    }
    return this.writing(
      () => sends.map((send) => this.appendOne(send, made)),
      (answered) => {
        for (const id of made) {
          this.unanswered.delete(id)
          if (!answered) this.journal.orphans.add(id)
        }
      },
      this.journal.random.integer(...this.journal.weather.append),
    ).finally(() => {
      for (const conversation of conversations) this.appending.delete(conversation)
    })
  }

  read(conversation: string, range: Range): Promise<Entry[]> {
    return this.reading((disk) => {
      const log = disk.log(conversation).slice(disk.first(conversation) - 1)
      if ('after' in range) return log.filter((entry) => entry.seq > range.after).slice(0, range.limit)
      return log.filter((entry) => entry.seq < range.before).slice(-range.limit)
    })
  }

  find(conversation: string, from: string, cids: readonly string[]): Promise<(Stored | undefined)[]> {
    return this.reading((disk) => cids.map((cid) => disk.find(conversation, from, cid)))
  }

  heads(conversations: readonly string[]): Promise<Head[]> {
    return this.reading((disk) =>
      conversations.map((conversation) => {
        const log = disk.log(conversation)
        const tail = log.at(-1)?.id.slice(-8) ?? ''
        return { conversation, head: log.length, first: disk.first(conversation), tail }
      }),
    )
  }

  tail(conversation: string, seq: number): Promise<string> {
    return this.reading((disk) => disk.log(conversation)[seq - 1]?.id.slice(-8) ?? '')
  }

  count(ranges: readonly CountRange[]): Promise<number[]> {
    return this.reading((disk) =>
      ranges.map(({ conversation, after, to, except }) => {
        const log = disk.log(conversation).slice(Math.max(after, disk.first(conversation) - 1), to)
        return log.filter(({ from, type }) => from !== except && isCountable(type)).length
      }),
    )
  }

  marks(conversations: readonly string[]): Promise<Mark[]> {
    return this.reading((disk) => disk.marks(conversations))
  }

  mark(marks: readonly Mark[]): Promise<Mark[]> {
    return this.writing(() =>
      marks.map((mark) => {
        const known = this.journal.written.mark(mark.conversation, mark.user)
        const merged = mergeMark(known, mark)
        if (merged.delivered !== known.delivered || merged.read !== known.read || merged.seen !== known.seen)
          this.journal.write({ kind: 'mark', mark: merged })
        return merged
      }),
    )
  }

  retain(conversation: string, first: number): Promise<void> {
    return this.writing(() => {
      if (first > this.journal.written.first(conversation)) this.journal.write({ kind: 'retain', conversation, first })
    })
  }

  epoch(): Promise<string> {
    return this.reading(() => 'epoch-1')
  }

  async close(): Promise<void> {}

  private appendOne(send: Send, made: string[]): Outcome {
    const { random, weather } = this.journal
    if (weather.full > 0 && random.chance(weather.full)) {
      const index = random.integer(0, send.items.length - 1)
      const outcome = this.appendItems({ ...send, items: send.items.slice(0, index) }, made)
      const code = random.chance(0.5) ? 'store_unavailable' : 'busy'
      return outcome.refused ? outcome : { stored: outcome.stored, refused: { index, code } }
    }
    return this.appendItems(send, made)
  }

  private appendItems(send: Send, made: string[]): Outcome {
    const make = (seq: number) => ({ id: `e${seq}-${this.randomId()}`, at: this.process.now() })
    return this.journal.written.plan(send, make, (record: JournalRecord) => {
      if (record.kind === 'entry') {
        made.push(record.entry.id)
        this.unanswered.add(record.entry.id)
      }
      this.journal.write(record)
    })
  }

  private put(row: FriendshipRow, expected: number | undefined): boolean {
    const known =
      this.journal.written.rows.get(row.id) ??
      [...this.journal.written.rows.values()].find((other) => pair(other, row.user1, row.user2))
    if (known?.version !== expected) return false
    this.journal.write({ kind: 'row', row })
    return true
  }

  private randomId(): string {
    let id = ''
    for (let index = 0; index < 10; index++) id += ALPHABET[this.journal.random.integer(0, 35)]
    return id
  }

  private delay(): number {
    const [low, high] = this.journal.weather.latency
    return this.journal.random.integer(low, high)
  }

  private fails(): boolean {
    const { random, weather } = this.journal
    return weather.failing > 0 && random.chance(weather.failing)
  }

  /** A read looks at the disk somewhere between the question and the answer. */
  private reading<T>(look: (disk: Disk) => T): Promise<T> {
    const { clock } = this.journal
    return this.process.awaits<T>((resolve, reject) => {
      clock.setTimer(() => {
        if (this.fails()) {
          reject(new Error('the store does not answer'))
          return
        }
        const answer = look(this.journal.stable)
        clock.setTimer(() => resolve(answer), this.delay())
      }, this.delay())
    })
  }

  /** @param over told whether the caller learns what became of it */
  private writing<T>(work: () => T, over: (answered: boolean) => void = () => {}, extra = 0): Promise<T> {
    const { clock } = this.journal
    return this.process.awaits<T>((resolve, reject) => {
      const run = () => {
        this.pending.delete(run)
        if (this.fails()) {
          // The caller cannot tell which of the two happened.
          if (this.journal.random.chance(0.5)) work()
          over(false)
          reject(new Error('the store does not answer'))
          return
        }
        const answer = work()
        const answered = () => {
          if (this.process.alive) over(true)
          resolve(answer)
        }
        this.journal.flushed(() => clock.setTimer(answered, this.delay()), reject)
      }
      this.pending.add(run)
      clock.setTimer(() => {
        if (this.pending.has(run)) run()
      }, this.delay() + extra)
    })
  }
}

const pair = (row: FriendshipRow, one: string, other: string) =>
  (row.user1 === one && row.user2 === other) || (row.user1 === other && row.user2 === one)
