import { randomBytes } from 'node:crypto'
import { fileURLToPath } from 'node:url'
import { WsRouter } from '@kithwire/server'
import { sqlite } from '@kithwire/server/sqlite'
import { build } from 'esbuild'
import express from 'express'

const port = Number(process.env.PORT ?? 3000)
const host = process.env.HOST ?? '127.0.0.1'
const data = process.env.DATA ?? fileURLToPath(new URL('data', import.meta.url))
/** @param {string} path */
const here = (path) => fileURLToPath(new URL(path, import.meta.url))

// The app that was there before: three users and a session. A real one has passwords.
const USERS = new Set(['ann', 'ben', 'cyd'])
/** @type {Map<string, string>} */
const sessions = new Map()
/**
 * @param {import('node:http').IncomingMessage} req
 * @param {string} [token] as a socket brings it
 */
const sessionOf = (req, token) =>
  token ??
  req.headers.authorization?.replace(/^Bearer /, '') ??
  /(?:^|; )session=([\w-]+)/.exec(req.headers.cookie ?? '')?.[1]

const app = express()
app.disable('x-powered-by')
app.use((_req, res, next) => {
  res.set({
    'Content-Security-Policy': "default-src 'self'; connect-src 'self'; frame-ancestors 'none'; base-uri 'none'",
    'X-Content-Type-Options': 'nosniff',
    'Referrer-Policy': 'no-referrer',
  })
  next()
})

app.post('/sign-in', (req, res) => {
  const user = req.query.as
  if (typeof user !== 'string' || !USERS.has(user))
    return res.status(404).json({ error: { code: 'not_found', message: 'Expected ?as=ann, ben or cyd.' } })
  const token = randomBytes(24).toString('base64url')
  sessions.set(token, user)
  // The page shows two people at once, so each pane keeps the token itself; everybody else has the cookie.
  res.cookie('session', token, { httpOnly: true, sameSite: 'lax', path: '/' }).json({ user, token })
})

const store = sqlite(`${data}/demo.db`)
const chat = new WsRouter({
  store,
  authenticate: (req, { token }) => {
    const user = sessions.get(sessionOf(req, token) ?? '')
    return user ? { id: user } : null
  },
})
app.use('/chat', chat.router)

// Ann and Ben are friends from the start; Cyd is a stranger to both.
const friends = await chat.friendships.list('ann')
if (!friends.some((friend) => friend.user === 'ben')) {
  const { id } = await chat.friendships.request('ann', 'ben')
  await chat.friendships.accept('ben', id)
}

const page = await build({
  entryPoints: [here('page/app.ts')],
  bundle: true,
  minify: true,
  format: 'esm',
  platform: 'browser',
  target: 'es2022',
  write: false,
  // The packages as they are installed, not the sources that the repository's own tsconfig maps them to.
  tsconfigRaw: {},
})
app.get('/app.js', (_req, res) => res.type('js').send(page.outputFiles[0]?.text))
app.use(express.static(here('public')))

const server = app.listen(port, host, started)
chat.attach(server, '/chat/ws')

const stop = async () => {
  await chat.close({ drainMs: 2_000 })
  server.close()
  await store.close()
  process.exit(0)
}
process.once('SIGTERM', stop)
process.once('SIGINT', stop)

/** @param {Error} [error] */
function started(error) {
  if (error) throw error
  const address = /** @type {import('node:net').AddressInfo} */ (server.address())
  console.log(`Kithwire demo: http://${host}:${address.port}`)
}
