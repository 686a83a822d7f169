import {
  type CursorTuple,
  type ErrorFrame,
  encode,
  type Hello,
  KithwireError,
  type Page,
  PROTOCOL_LIMITS,
  type Sync,
  utf8Length,
} from '@kithwire/protocol'
import { type ClientStore, type ConversationState, type DeviceIdentity, tailOf } from './client-store.js'

/** Bytes that the rest of a `hello` may take beside its cursors. */
const HELLO_BYTES = 1_024

/**
 * `hello`, in as many frames as its cursors need. A device with more conversations than a hello may name leaves the
 * others out: the heads in `welcome` say what it lacks there.
 *
 * @param forget leave the epoch out, after the server said that it is another one
 */
export function helloFrames(
  identity: DeviceIdentity,
  states: readonly ConversationState[],
  frame: number,
  forget: boolean,
): Hello[] {
  const base: Hello = { t: 'hello', device: identity.device, attempt: identity.attempt }
  if (identity.epoch !== undefined && !forget) base.epoch = identity.epoch
  const chunks: CursorTuple[][] = [[]]
  let room = frame - HELLO_BYTES
  for (const { conversation, applied, tail } of states.slice(0, PROTOCOL_LIMITS.cursors)) {
    const cursor: CursorTuple = [conversation, applied, tail]
    const size = utf8Length(JSON.stringify(cursor)) + 1
    if (size > room) {
      chunks.push([])
      room = frame - HELLO_BYTES
    }
    room -= size
    chunks.at(-1)!.push(cursor)
  }
  return chunks.map((cursors, index) => ({ ...base, cursors, ...(index < chunks.length - 1 && { more: true }) }))
}

/** Bytes of a frame as it travels. */
export const frameSize = (frame: Parameters<typeof encode>[0]): number => utf8Length(encode(frame))

export interface CommonPoint {
  seq: number
  tail: string
}

/**
 * The last entry that this device and the server have in common, by binary search: two logs of which one was restored
 * from a backup of the other share a beginning. Undefined if they do not differ after all.
 *
 * Entries that the device skipped cannot be compared.
 *
 * @param floor where to start again if not even this device's first entry is in the server's log
 * @throws KithwireError when the server refuses, or the socket ends
 */
export async function findCommon(
  store: ClientStore,
  state: ConversationState,
  floor: number,
  ask: (question: Omit<Sync, 'n'>) => Promise<Page | ErrorFrame>,
): Promise<CommonPoint | undefined> {
  const { conversation } = state
  /** Whether the server's log has the same entry there, blanked or not. */
  const same = async (seq: number, tail: string): Promise<boolean> => {
    const page = await ask({ t: 'sync', conversation, after: seq, tail, limit: 1 })
    if (page.t === 'error') throw new KithwireError(page.code, page.message)
    if (page.refused) throw new KithwireError(page.refused.code)
    return page.reset === undefined
  }
  let common: CommonPoint = { seq: state.base, tail: state.baseTail }
  let high = state.applied
  let mine = await store.last(conversation, high)
  let first = true
  while (mine && mine.seq > common.seq) {
    const { seq, id } = mine
    if (await same(seq, tailOf(id))) {
      if (first && seq === state.applied) return undefined
      common = { seq, tail: tailOf(id) }
    } else high = seq - 1
    first = false
    mine = await store.last(conversation, common.seq + Math.ceil((high - common.seq) / 2))
    if (mine && mine.seq <= common.seq && high > common.seq) mine = await nearest(store, conversation, common.seq, high)
  }
  if (common.seq > state.base || common.seq === 0 || common.tail === '') return common
  if (await same(common.seq, common.tail)) return state.applied === common.seq ? undefined : common
  // Even the place where this device began is another entry now. Below it there is nothing to compare, so start where
  // nothing can be missed.
  return { seq: Math.min(floor, common.seq), tail: '' }
}

/** The first entry above `after` and not above `high`, where the middle fell into a gap. */
async function nearest(store: ClientStore, conversation: string, after: number, high: number) {
  const [entry] = await store.messages(conversation, after, 1)
  return entry && entry.seq <= high ? entry : undefined
}
