import { encodeLegacy, type IMessage } from '@kithwire/protocol'
import type { Range } from '../store.js'
import { Query } from './query.js'
import type { Route } from './router.js'

/** A page of a log; throws `not_found` for a conversation that is unknown, closed or somebody else's. */
export type ReadHistory = (
  user: string,
  conversation: string,
  range: Range,
) => Promise<{ items: IMessage[]; head: number; first: number; more: boolean }>

/**
 * History: by conversation for new front ends, and as a bare array of the article's messages, oldest first, for old
 * ones, which name the friendship in the query.
 */
export function historyRoutes(history: ReadHistory): Route[] {
  return [
    {
      method: 'GET',
      path: '/conversations/:id/messages',
      run: async ({ user, id, url }) => history(user, id, new Query(url, ['before', 'after', 'limit']).range()),
    },
    {
      method: 'GET',
      path: '/messages',
      run: async ({ user, url }) => {
        const query = new Query(url, ['friendId', 'before', 'limit'])
        const { items } = await history(user, query.id('friendId'), query.range())
        return items.flatMap((message) => {
          const frame = encodeLegacy(message, user)
          return frame === undefined ? [] : [JSON.parse(frame) as unknown]
        })
      },
    },
  ]
}
