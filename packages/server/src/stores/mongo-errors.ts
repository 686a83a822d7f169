import { KithwireError } from '@kithwire/protocol'

/**
 * Codes of the server that say: not now, not here, or not known whether. From
 * https://github.com/mongodb/specifications/blob/master/source/retryable-writes/retryable-writes.md and, for reads
 * while a member starts, from the server's error_codes.yml.
 */
const TRANSIENT = new Set([
  6, // HostUnreachable
  7, // HostNotFound
  50, // MaxTimeMSExpired
  64, // WriteConcernFailed: the timeout ran out
  89, // NetworkTimeout
  91, // ShutdownInProgress
  100, // UnsatisfiableWriteConcern: members are missing
  112, // WriteConflict
  133, // FailedToSatisfyReadPreference
  134, // ReadConcernMajorityNotAvailableYet
  189, // PrimarySteppedDown
  202, // NetworkInterfaceExceededTimeLimit
  211, // KeyNotFound: a member that has just started cannot sign times yet
  234, // RetryChangeStream
  262, // ExceededTimeLimit
  9001, // SocketException
  10107, // NotWritablePrimary
  11600, // InterruptedAtShutdown
  11602, // InterruptedDueToReplStateChange
  13388, // StaleConfig
  13435, // NotPrimaryNoSecondaryOk
  13436, // NotPrimaryOrSecondary
])

/** Classes of the driver, versions 3.7 to 7, for a server that was not reached or did not answer. */
const NETWORK =
  /^Mongo(Network|ServerSelection|NotConnected|TopologyClosed|PoolCleared|PoolClosed|WriteConcern|Timeout)/

/** The server has answered nothing within this store's own limit. */
export class NoAnswer extends Error {
  override readonly name = 'NoAnswer'
}

export const DUPLICATE_KEY = 11_000

interface DriverError {
  name?: unknown
  code?: unknown
}

/** Whether the same command may succeed soon. What became of this one is not known. */
export function isTransient(error: unknown): boolean {
  if (error instanceof NoAnswer) return true
  const { name, code } = (error ?? {}) as DriverError
  return (typeof code === 'number' && TRANSIENT.has(code)) || (typeof name === 'string' && NETWORK.test(name))
}

/** What a caller sees. Texts of the driver stay in `cause`, which never goes onto the wire. */
export function toKithwireError(error: unknown): KithwireError {
  if (error instanceof KithwireError) return error
  if (isTransient(error))
    return new KithwireError('store_unavailable', 'MongoDB did not answer in time; see `cause`.', { cause: error })
  return new KithwireError('internal', 'The MongoDB store failed; see `cause`.', { cause: error })
}
