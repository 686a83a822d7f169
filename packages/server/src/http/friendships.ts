import type { Friendship, StoredFriendships } from '../friendships.js'
import { readBody } from './body.js'
import { badRequest } from './respond.js'
import type { Route } from './router.js'

const ACTIONS = ['accept', 'decline', 'cancel', 'block', 'unblock'] as const

/** `/friendships`: list, request, answer and end. Each answers with what it made, or the list as an array. */
export function friendshipRoutes(friendships: StoredFriendships): Route[] {
  const routes: Route[] = [
    { method: 'GET', path: '/friendships', run: async ({ user }) => friendships.list(user) },
    {
      method: 'POST',
      path: '/friendships',
      run: async ({ user, request }) => {
        const body = await readBody(request)
        const other = Object.hasOwn(body, 'user') ? body.user : undefined
        if (typeof other !== 'string') throw badRequest('Expected { "user": "<id>" }.')
        return friendships.request(user, other)
      },
    },
    { method: 'DELETE', path: '/friendships/:id', run: async ({ user, id }) => friendships.remove(user, id) },
  ]
  for (const action of ACTIONS) {
    const run = async ({ user, id }: { user: string; id: string }): Promise<Friendship> => friendships[action](user, id)
    routes.push({ method: 'POST', path: `/friendships/:id/${action}`, run })
  }
  return routes
}
