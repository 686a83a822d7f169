export interface Friend {
  id: string
  user: string
}

export interface Session {
  user: string
  token: string
  friends(): Promise<Friend[]>
}

/** Signs in as one of the demo's users. Both panes share a browser, so each keeps its token and no cookie. */
export async function signIn(user: string): Promise<Session> {
  const answer = await fetch(`/sign-in?as=${encodeURIComponent(user)}`, { method: 'POST', credentials: 'omit' })
  const body = await answer.json()
  if (!answer.ok) throw new Error(body.error.message)
  const headers = { Authorization: `Bearer ${body.token}` }
  return {
    ...body,
    async friends() {
      const list = await fetch('/chat/friendships', { headers, credentials: 'omit' })
      const friendships: (Friend & { state: string })[] = await list.json()
      return friendships.filter(({ state }) => state === 'accepted')
    },
  }
}
