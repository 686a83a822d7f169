import { KithwireError, type KithwireErrorCode } from '@kithwire/protocol'

/** Primary result codes (https://sqlite.org/rescode.html) that say: not now, but nothing is wrong with the request. */
const REFUSALS = new Map<number, 'busy' | 'store_unavailable'>([
  [5, 'busy'], // SQLITE_BUSY
  [6, 'busy'], // SQLITE_LOCKED
  [7, 'store_unavailable'], // SQLITE_NOMEM
  [8, 'store_unavailable'], // SQLITE_READONLY
  [10, 'store_unavailable'], // SQLITE_IOERR
  [11, 'store_unavailable'], // SQLITE_CORRUPT
  [13, 'store_unavailable'], // SQLITE_FULL
  [14, 'store_unavailable'], // SQLITE_CANTOPEN
])

/** A commit failed: what became of the transaction is not known, and the connection must not be used any more. */
export class CommitFailed extends Error {
  override readonly name = 'CommitFailed'
}

const primaryCode = (error: unknown): number | undefined => {
  const { errcode } = (error ?? {}) as { errcode?: unknown }
  return typeof errcode === 'number' ? errcode & 0xff : undefined
}

/** The code of a refusal, if the error says that SQLite could not write now; undefined for anything else. */
export const refusalOf = (error: unknown): 'busy' | 'store_unavailable' | undefined =>
  REFUSALS.get(primaryCode(error) ?? 0)

export const isBusy = (error: unknown): boolean => refusalOf(error) === 'busy'

/** SQLITE_ERROR, which ROLLBACK only gives when no transaction is active. */
export const isNothingToRollBack = (error: unknown): boolean => primaryCode(error) === 1

/** What a caller sees. Texts of the driver stay in `cause`, which never goes onto the wire. */
export function toKithwireError(error: unknown): KithwireError {
  if (error instanceof KithwireError) return error
  const code = error instanceof CommitFailed ? 'store_unavailable' : (refusalOf(error) ?? 'internal')
  const texts = {
    busy: 'Another process holds the lock of the SQLite file for longer than `busyTimeoutMs`.',
    store_unavailable: 'SQLite could not read or write its file; see `cause`.',
    internal: 'The SQLite store failed; see `cause`.',
  }
  return new KithwireError(code, texts[code], { cause: error })
}

/** What is told when the file cannot be opened. */
export function openingFailed(file: string, error: unknown): KithwireError {
  if (error instanceof KithwireError) return error
  const why = error instanceof Error ? error.message : String(error)
  if (isBusy(error)) return new KithwireError('busy', `${file} is locked by another process: ${why}.`, { cause: error })
  // SQLITE_NOTADB.
  if (primaryCode(error) === 26)
    return new KithwireError('bad_state', `${file} is not an SQLite database.`, { cause: error })
  return new KithwireError('store_unavailable', `${file} cannot be opened: ${why}.`, { cause: error })
}

/** An error in a form that crosses the border between two threads; as it is, it would arrive without its codes. */
export interface SentError {
  code: KithwireErrorCode
  message: string
  cause?: { name: string; message: string; errcode?: number; stack?: string }
}

export function packError(error: unknown): SentError {
  const { code, message, cause } = toKithwireError(error)
  if (cause === undefined) return { code, message }
  const source = (cause instanceof CommitFailed && cause.cause instanceof Error ? cause.cause : cause) as Error
  const packed: SentError['cause'] = { name: String(source.name), message: String(source.message) }
  const { errcode } = source as { errcode?: unknown }
  if (typeof errcode === 'number') packed.errcode = errcode
  if (source.stack !== undefined) packed.stack = source.stack
  return { code, message, cause: packed }
}

export function unpackError({ code, message, cause }: SentError): KithwireError {
  if (!cause) return new KithwireError(code, message)
  return new KithwireError(code, message, { cause: Object.assign(new Error(cause.message), cause) })
}
