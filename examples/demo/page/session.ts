import type { Wire } from './wire'

/**
 * Signs in as one of the demo's users; asked at each connect, so that a server which knows the token no more gives
 * another. Both panes share a browser, so each keeps its token and no cookie.
 */
export function tokenOf(user: string, wire: Wire): () => Promise<string> {
  return async () => {
    const answer = await wire.fetch(`/sign-in?as=${encodeURIComponent(user)}`, { method: 'POST', credentials: 'omit' })
    const body: { token: string; error?: { message: string } } = await answer.json()
    if (!answer.ok) throw new Error(body.error?.message ?? `Sign-in answered ${answer.status}.`)
    return body.token
  }
}
