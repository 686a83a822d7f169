import { randomBytes } from 'node:crypto'

/** The sessions of the app: a toy, in memory and without passwords. A real app has its own. */
const sessions = new Map()

const USERS = ['ann', 'ben']

/** @type {import('express').RequestHandler} */
export function signIn(req, res) {
  const user = String(req.query.as)
  if (!USERS.includes(user)) return void res.status(400).json({ error: `there are only ${USERS.join(' and ')}` })
  const id = randomBytes(18).toString('base64url')
  sessions.set(id, user)
  res.cookie('session', id, { httpOnly: true, sameSite: 'strict' })
  res.json({ id: user })
}

/**
 * Who sent a request, or the handshake of a socket, which has the same cookie.
 * @param {import('node:http').IncomingMessage} req
 */
export function userOfSession(req) {
  const session = /(?:^|; )session=([\w-]+)/.exec(req.headers.cookie ?? '')?.[1]
  const user = sessions.get(session)
  return user === undefined ? null : { id: user }
}
