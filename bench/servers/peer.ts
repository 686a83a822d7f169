import type { ServerPlan } from '../messages.js'

/** A server that listens. */
export interface Running {
  conversations?: readonly string[]
}

/** Starts one kind of server. It lives until its process ends. */
export type Start = (plan: ServerPlan) => Promise<Running>

/** Resolves when `server` listens where the plan says. */
export function listen(server: import('node:http').Server, { port }: ServerPlan): Promise<void> {
  return new Promise((resolve, reject) => {
    // The process before this one may not have let go of the port yet.
    server.on('error', (error: NodeJS.ErrnoException) => {
      if (error.code === 'EADDRINUSE') setTimeout(() => server.listen(port, '127.0.0.1'), 5)
      else reject(error)
    })
    // Room for everybody who comes at once.
    server.listen(port, '127.0.0.1', 4_096, resolve)
  })
}

/** Who connects, by the query of the request. */
export const userOf = (url: string | undefined): string => url!.slice(url!.lastIndexOf('user=') + 5)
