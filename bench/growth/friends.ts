import { PEERS } from '../peers.js'
import { hello } from '../workloads/states.js'

/** What a hello costs somebody with so many friends. */
export interface FriendsRow {
  count: number
  /** Ms until the last welcome. */
  ms: number
  /** µs of the server's processor time, a friend. */
  cpu: number
}

export async function friendsGrowth(root: string, data: string, most: number): Promise<FriendsRow[]> {
  const peer = PEERS.find(({ id }) => id === 'sqlite')!
  const rows: FriendsRow[] = []
  for (const count of [10, 100, 1_000, 5_000].filter((size) => size <= most)) {
    const { figures } = await hello('', '', { friends: count, times: 5, warmUps: 5 }).run(peer, {
      root,
      data,
      mongo: undefined,
    })
    rows.push({ count, ms: figures.ms!, cpu: figures.cpu! })
  }
  return rows
}
