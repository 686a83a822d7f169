import { mkdir, rm } from 'node:fs/promises'
import { dirname } from 'node:path'
import { KithwireError } from '@kithwire/protocol'
import type { StoreChange } from '../client-store.js'
import { lockFile } from './file-lock.js'
import { FileLog } from './file-log.js'
import { CopyableStore, type StoreCopy } from './store-copy.js'
import { TRANSACTIONS, type TransactionName } from './transactions.js'

type Call = [name: TransactionName, args: unknown[]]
/** A snapshot in parts, or the calls of one write. */
type LogRecord = { load: StoreCopy } | { calls: Call[] }

interface Waiting {
  call: Call
  resolve(value: unknown): void
  reject(error: unknown): void
}

/**
 * A store in memory whose calls are in a log on the disk before they take effect: what a call does follows from its
 * arguments alone, so that doing them again after a crash gives what was there. Calls that wait are written together.
 */
export class FileStore {
  private memory: CopyableStore
  /** Who may connect and who watches; the store itself comes and goes. */
  private readonly seats = new CopyableStore()
  private log: FileLog | undefined
  private unlock: (() => Promise<void>) | undefined
  private readonly waiting: Waiting[] = []
  private running: Promise<void> | undefined
  private over = false

  constructor(
    private readonly path: string,
    private readonly settings: { keepMessages: number },
  ) {
    this.memory = new CopyableStore(settings)
  }

  call(name: TransactionName, args: unknown[]): Promise<unknown> {
    return new Promise((resolve, reject) => {
      this.waiting.push({ call: [name, args], resolve, reject })
      this.running ??= this.run()
    })
  }

  watch(look: (change: StoreChange) => void): () => void {
    return this.seats.watch(look)
  }

  tell(change: StoreChange): void {
    this.seats.tell(change)
  }

  lead(granted: () => void): () => void {
    return this.seats.lead(granted)
  }

  async wipe(): Promise<void> {
    await this.end()
    for (const path of [this.path, `${this.path}.new`]) await rm(path, { force: true })
    await this.release()
    this.tell({ kind: 'wiped' })
  }

  async close(): Promise<void> {
    await this.end()
    await this.release()
  }

  /** Lets what was begun end. */
  private async end(): Promise<void> {
    this.over = true
    await this.running
    await this.log?.close()
    this.log = undefined
  }

  private async release(): Promise<void> {
    await this.unlock?.()
    this.unlock = undefined
  }

  private async run(): Promise<void> {
    while (this.waiting.length > 0) {
      const batch = this.waiting.splice(0)
      let failure: unknown
      try {
        await this.write(batch.map(({ call }) => call).filter(([name]) => !TRANSACTIONS[name]))
      } catch (error) {
        failure = this.asError(error)
      }
      for (const { call, resolve, reject } of batch) {
        if (failure !== undefined && (!TRANSACTIONS[call[0]] || !this.log)) reject(failure)
        else await this.perform(call).then(resolve, reject)
      }
    }
    // In the turn that saw nothing more waiting.
    this.running = undefined
  }

  private async write(calls: Call[]): Promise<void> {
    this.log ??= await this.open()
    const { log } = this
    if (calls.length === 0) return
    if (log.due) await log.rewrite(this.snapshot())
    await log.append({ calls } satisfies LogRecord)
  }

  private async open(): Promise<FileLog> {
    if (this.over) throw new KithwireError('closed')
    await mkdir(dirname(this.path), { recursive: true })
    this.unlock ??= await lockFile(`${this.path}.lock`)
    const log = new FileLog(this.path)
    const memory = new CopyableStore(this.settings)
    try {
      await log.open(async (record) => {
        const { load, calls = [] } = record as { load?: StoreCopy; calls?: Call[] }
        if (load) memory.load(load)
        for (const call of calls) await perform(memory, call)
      })
    } catch (error) {
      await log.close()
      await this.release()
      throw error
    }
    memory.watch((change) => this.tell(change))
    this.memory = memory
    return log
  }

  private perform(call: Call): Promise<unknown> {
    return perform(this.memory, call)
  }

  private *snapshot(): Iterable<LogRecord> {
    const { conversations, ...rest } = this.memory.copy()
    for (const part of conversations)
      yield { load: { identity: rest.identity, conversations: [part], outbox: [], places: [] } }
    yield { load: { ...rest, conversations: [] } }
  }

  private asError(error: unknown): KithwireError {
    if (error instanceof KithwireError) return error
    return new KithwireError('store_failed', `${this.path}: ${(error as Error).message}`, { cause: error })
  }
}

const perform = (memory: CopyableStore, [name, args]: Call): Promise<unknown> =>
  (memory[name] as (...args: unknown[]) => Promise<unknown>)(...args)
