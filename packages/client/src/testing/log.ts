import type { IMessage } from '@kithwire/protocol'
import { entries, type Peer } from './script.js'

/** The log after a restore: as the one before up to `common`, then other entries. */
export const restored = (common: number, to: number): IMessage[] =>
  entries(1, to).map((item) =>
    item.seq <= common
      ? item
      : {
          ...item,
          id: `entry-x${String(item.seq).padStart(7, '0')}`,
          cid: `o-${item.seq}`,
          content: `other ${item.seq}`,
        },
  )

/** Answers every sync from a log whose entries below `first` are blanked, as the server does. Returns how many. */
export async function serve(peer: Peer, log: readonly IMessage[], ms = 3_000, first = 1): Promise<number> {
  let served = 0
  for (let time = 0; time < ms; time += 10) {
    await peer.clock.advance(10)
    for (; served < peer.of('sync').length; served++) {
      const { n, after = 0, tail: theirs, limit } = peer.of('sync')[served]!
      const at = log[after - 1]
      if (after > log.length || (theirs && at && at.id.slice(-8) !== theirs)) {
        const to = Math.min(after, log.length)
        peer.send({ t: 'page', re: n, conversation: 'c', reset: { to, id: to < first ? '' : log[to - 1]!.id } })
      } else {
        const from = Math.max(after, first - 1)
        const items = log.slice(from, from + limit)
        peer.send({
          t: 'page',
          re: n,
          conversation: 'c',
          items,
          head: log.length,
          first,
          more: from + items.length < log.length,
        })
      }
    }
  }
  return served
}
