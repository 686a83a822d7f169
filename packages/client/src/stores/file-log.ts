import { type FileHandle, open, readFile, rename } from 'node:fs/promises'
import { dirname } from 'node:path'
import { deserialize, serialize } from 'node:v8'
import { crc32 } from 'node:zlib'
import { KithwireError } from '@kithwire/protocol'

/** Names the format; another version has another one. */
const MAGIC = Buffer.from('kithwire client store 1\n')
const HEADER = 8
/** Bytes behind the last snapshot after which another one is worth its while, at the least. */
const ENOUGH = 1 << 20

/** One record: its length, its CRC-32, and itself. */
function frameOf(record: unknown): Buffer {
  const body = serialize(record)
  const header = Buffer.alloc(HEADER)
  header.writeUInt32LE(body.length, 0)
  header.writeUInt32LE(crc32(body), 4)
  return Buffer.concat([header, body])
}

/**
 * Records in a file, each on the disk once its promise resolves. What a crash leaves of the last one is cut off. A
 * snapshot takes the place of everything before it by a rename, so that at any instant there is one file that is whole.
 */
export class FileLog {
  private handle: FileHandle | undefined
  private size = 0
  /** Bytes of the last snapshot. */
  private base = 0
  /** A write failed: nobody knows what the file holds. */
  private doubtful = false

  constructor(private readonly path: string) {}

  /** Reads what is there; `replay` gets each record in order. */
  async open(replay: (record: unknown) => Promise<void>): Promise<void> {
    const bytes = await readFile(this.path).catch((error: NodeJS.ErrnoException) => {
      if (error.code === 'ENOENT') return undefined
      throw error
    })
    if (bytes === undefined) return this.rewrite([])
    if (!bytes.subarray(0, MAGIC.length).equals(MAGIC))
      throw new KithwireError('unsupported_version', `${this.path}: expected a client store of version 1.`)
    let at = MAGIC.length
    for (let record = this.read(bytes, at); record; record = this.read(bytes, at)) {
      await replay(record.value)
      at = record.end
    }
    this.handle = await open(this.path, 'r+')
    this.size = at
    if (at === bytes.length) return
    await this.handle.truncate(at)
    await this.handle.datasync()
  }

  /** Adds a record. When this fails, nothing was added, as far as later reads are concerned. */
  async append(record: unknown): Promise<void> {
    const frame = frameOf(record)
    try {
      await this.handle!.write(frame, 0, frame.length, this.size)
      await this.handle!.datasync()
    } catch (error) {
      this.doubtful = true
      throw error
    }
    this.size += frame.length
  }

  /** Whether a snapshot is due before the next record. */
  get due(): boolean {
    return this.doubtful || this.size - this.base > Math.max(ENOUGH, 3 * this.base)
  }

  /** Replaces everything by these records. */
  async rewrite(records: Iterable<unknown>): Promise<void> {
    const path = `${this.path}.new`
    const handle = await open(path, 'w')
    try {
      let size = MAGIC.length
      await handle.write(MAGIC)
      for (const record of records) {
        const frame = frameOf(record)
        await handle.write(frame)
        size += frame.length
      }
      await handle.sync()
      await rename(path, this.path)
      await syncFolder(dirname(path))
      await this.close()
      this.handle = handle
      this.size = this.base = size
      this.doubtful = false
    } catch (error) {
      await handle.close().catch(() => {})
      throw error
    }
  }

  async close(): Promise<void> {
    const { handle } = this
    this.handle = undefined
    await handle?.close()
  }

  /** The record at a byte; undefined where the file ends, or where a record was begun and never finished. */
  private read(bytes: Buffer, at: number): { value: unknown; end: number } | undefined {
    const rest = bytes.length - at
    if (rest < HEADER) return undefined
    const length = bytes.readUInt32LE(at)
    const end = at + HEADER + length
    if (length === 0 || end > bytes.length) return undefined
    const body = bytes.subarray(at + HEADER, end)
    if (crc32(body) === bytes.readUInt32LE(at + 4)) return { value: deserialize(body), end }
    if (end === bytes.length) return undefined
    // No crash does this: more was written behind it, so it was whole once.
    throw new KithwireError(
      'store_failed',
      `${this.path}: expected what was written, came something else at byte ${at}.`,
    )
  }
}

/** A file that was made or renamed is there for good once its folder is. Not everywhere can one be opened. */
export async function syncFolder(path: string): Promise<void> {
  const folder = await open(path, 'r').catch(() => undefined)
  try {
    await folder?.sync()
  } catch {
    // Windows: the rename is as durable as it gets.
  } finally {
    await folder?.close()
  }
}
