import { type IncomingMessage, ServerResponse } from 'node:http'

/** Middleware of Express, Connect and everything like them. */
// biome-ignore lint/suspicious/noExplicitAny: every framework has its own request and response types.
export type Middleware = (request: any, response: any, next: (error?: unknown) => void) => unknown

/**
 * Runs middleware on an upgrade, which has no response of its own: it gets one that is thrown away. False if one of
 * them answered instead of going on; rejects if one failed.
 */
export async function runMiddleware(chain: readonly Middleware[], request: IncomingMessage): Promise<boolean> {
  const response = new ServerResponse(request)
  for (const middleware of chain) {
    const goesOn = await new Promise<boolean>((resolve, reject) => {
      response.end = () => {
        resolve(false)
        return response
      }
      const next = (error?: unknown) => (error ? reject(error) : resolve(true))
      Promise.resolve(middleware(request, response, next)).catch(reject)
    })
    if (!goesOn) return false
  }
  return true
}
