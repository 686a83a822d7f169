import { type IMessage, KithwireError, PROTOCOL_LIMITS } from '@kithwire/protocol'
import { type AbortSignalLike, abortable } from './abort.js'
import type { Link } from './link.js'
import type { Syncs } from './syncs.js'

export interface HistoryOptions {
  /** Entries below this seq. @default the newest */
  before?: number
  /** At most this many, up to 200. @default 50 */
  limit?: number
  signal?: AbortSignalLike
}

export interface HistoryPage {
  /** Ascending. */
  items: IMessage[]
  /** The last seq of the conversation. */
  head: number
  /** The first seq that the server still has. */
  first: number
  /** Whether there are entries below these. */
  more: boolean
}

/**
 * Asks for a page of older entries.
 *
 * @throws KithwireError the server's refusal, `aborted`, or `unknown_outcome` when the socket ends first
 */
export async function readHistory(
  syncs: Syncs,
  link: Link,
  conversation: string,
  { before = Number.MAX_SAFE_INTEGER, limit = 50, signal }: HistoryOptions,
): Promise<HistoryPage> {
  const question = { t: 'sync', conversation, before, limit: Math.min(limit, PROTOCOL_LIMITS.page) } as const
  const page = await abortable(syncs.ask(link, question), signal)
  if (page.t === 'error') throw new KithwireError(page.code, page.message)
  if (page.refused) throw new KithwireError(page.refused.code)
  const { items = [], head = 0, first = 1, more = false } = page
  return { items: [...items], head, first, more }
}
