import { createHmac, timingSafeEqual } from 'node:crypto'
import { fileURLToPath } from 'node:url'
import { WsRouter } from '@kithwire/server'
import { sqlite } from '@kithwire/server/sqlite'
import { build } from 'esbuild'
import express from 'express'

const { PORT, HOST, SECRET = 'demo', DATA, DEMO_MESSAGES } = process.env
const data = DATA ?? fileURLToPath(new URL('data', import.meta.url))
/** @param {string} path */
const here = (path) => fileURLToPath(new URL(path, import.meta.url))

// The app that was there before: five users and a session. A real one has passwords.
const USERS = new Set(['ann', 'ben', 'cyd', 'dan', 'eli'])
/** @param {string} user */
const signed = (user) => `${user}.${createHmac('sha256', SECRET).update(user).digest('base64url')}`
/**
 * @param {import('node:http').IncomingMessage} req
 * @param {string} [token] as a socket brings it
 */
function userOf(req, token) {
  const session =
    token ??
    req.headers.authorization?.replace(/^Bearer /, '') ??
    /(?:^|; )session=([\w.-]+)/.exec(req.headers.cookie ?? '')?.[1] ??
    ''
  const user = session.split('.', 1)[0] ?? ''
  const [theirs, ours] = [Buffer.from(session), Buffer.from(signed(user))]
  return USERS.has(user) && theirs.length === ours.length && timingSafeEqual(theirs, ours) ? { id: user } : null
}

const app = express()
app.disable('x-powered-by')
app.use((_req, res, next) => {
  res.set({
    'Content-Security-Policy': [
      "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'",
      "base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
    ].join('; '),
    'Cross-Origin-Opener-Policy': 'same-origin',
    'X-Content-Type-Options': 'nosniff',
    'Referrer-Policy': 'no-referrer',
  })
  next()
})

app.post('/sign-in', (req, res) => {
  const user = req.query.as
  if (typeof user !== 'string' || !USERS.has(user))
    return res.status(404).json({ error: { code: 'not_found', message: `Expected ?as= one of ${[...USERS]}.` } })
  const token = signed(user)
  // The page shows two people at once, so each pane keeps the token itself; everybody else has the cookie.
  res.cookie('session', token, { httpOnly: true, sameSite: 'lax', path: '/' }).json({ user, token })
})

// What no app should have: a button that kills its server. The header keeps other sites' forms away from it.
app.post('/kill', (req, res) => {
  if (req.headers['x-demo'] === undefined) return res.status(403).end()
  process.kill(process.pid, 'SIGKILL')
})

const store = sqlite(`${data}/demo.db`)
const chat = new WsRouter({
  store,
  authenticate: (req, { token }) => userOf(req, token),
  isUser: (user) => USERS.has(user),
})
app.use('/chat', chat.router)

// Ann and Ben are friends from the start; the others are strangers.
const friends = await chat.friendships.list('ann', { all: true })
if (!friends.some((friend) => friend.user === 'ben')) {
  const { id } = await chat.friendships.request('ann', 'ben')
  await chat.friendships.accept('ben', id)
  // A long history to scroll through, if asked for. They take turns, five messages each.
  for (let first = 0; first < Number(DEMO_MESSAGES ?? 0); first += 5)
    await Promise.all([0, 1, 2, 3, 4].map((next) => say(id, first % 2 === 0 ? 'ann' : 'ben', first + next + 1)))
}

/**
 * @param {string} conversation
 * @param {string} from
 * @param {number} number
 */
function say(conversation, from, number) {
  const content = `Message ${number}.${' And some more words.'.repeat(number % 7 === 0 ? 8 : number % 3)}`
  return chat.send({ conversation, from, content, type: 'text' })
}

const page = await build({
  entryPoints: [here('page/app.tsx')],
  bundle: true,
  minify: true,
  format: 'esm',
  platform: 'browser',
  target: 'es2022',
  jsx: 'automatic',
  define: { 'process.env.NODE_ENV': '"production"' },
  write: false,
  // The packages as they are installed, not the sources that the repository's own tsconfig maps them to.
  tsconfigRaw: {},
})
const script = page.outputFiles[0]?.text
app.get('/app.js', (_req, res) => res.type('js').send(script))
app.use(express.static(here('public')))

const server = app.listen(Number(PORT ?? 3000), HOST ?? '127.0.0.1', (error) => {
  if (error) throw error
  const { port } = /** @type {import('node:net').AddressInfo} */ (server.address())
  process.send?.(port)
})
chat.attach(server, '/chat/ws')

const stop = async () => {
  await chat.close({ drainMs: 2_000 })
  server.close()
  await store.close()
  process.exit(0)
}
process.once('SIGTERM', stop)
// Sent to the whole group by a terminal; the parent passes its own on.
process.on('SIGINT', () => {})
// The parent is gone.
process.once('disconnect', () => process.exit(1))
