// A server in a process of its own, so that its memory is its own. A radio in it says something in one room, so many
// times a second, while its parent wants it to; it reports how much memory it takes and how much waits for one socket.
import { createServer } from 'node:http'
import { WsRouter } from '@kithwire/server'
import { sqlite } from '@kithwire/server/sqlite'

const { DB, READERS, PAIRS, LIMITS, RATE, BYTES, PATIENCE } = process.env
const readers = Array.from({ length: Number(READERS) }, (_, index) => `reader${index}`)
const room = { conversation: 'radio', members: ['radio', ...readers] }
const pairs = Array.from({ length: Number(PAIRS) }, (_, index) => ({
  conversation: `pair-${index}`,
  members: [`ann${index}`, `ben${index}`],
}))
const rooms = new Map([room, ...pairs].map((entry) => [entry.conversation, entry]))
const byUser = new Map([...rooms.values()].flatMap((entry) => entry.members.map((member) => [member, [entry]])))

const store = sqlite(DB)
const many = 1e6
const chat = new WsRouter({
  store,
  friendships: {
    members: async (conversation) => rooms.get(conversation)?.members ?? null,
    of: async (user) => byUser.get(user) ?? [],
  },
  authenticate: (_request, { token }) => (token ? { id: token } : null),
  limits: {
    ...{ connectionsPerAddress: many, handshakeRate: many, handshakeBurst: many },
    ...{ rate: many, burst: many, frameRate: many, frameBurst: many, byteRate: 1e9, byteBurst: 1e9 },
    ...JSON.parse(LIMITS),
  },
  log: () => {},
})
const server = createServer()
chat.attach(server, '/chat/ws')

const sockets = new Set()
server.on('connection', (socket) => {
  sockets.add(socket)
  socket.once('close', () => sockets.delete(socket))
})

/** The most that ever waited in this process for one socket, and the most memory that it ever took, in bytes. */
const worst = { buffered: 0, rss: 0 }
const sample = () => {
  worst.rss = Math.max(worst.rss, process.memoryUsage.rss())
  for (const { writableLength } of sockets) worst.buffered = Math.max(worst.buffered, writableLength)
}
setInterval(sample, 50)

const said = []
let radio
const speak = () => {
  // Text that differs, so that nobody mistakes one for another.
  const content = `${said.length} ${'x'.repeat(Number(BYTES))}`
  const told = { content }
  said.push(told)
  const keep = ({ cid, seq, id }) => Object.assign(told, { ack: { cid, seq, id } })
  return chat.send({ conversation: 'radio', from: 'radio', content }).then(keep)
}

const answers = {
  start: () => {
    const each = 1000 / Number(RATE)
    const began = performance.now()
    let spoken = 0
    // As many as are due: a timer that comes late makes up for it.
    radio = setInterval(() => {
      for (; spoken * each < performance.now() - began; spoken++) under.add(track(speak()))
    }, 10)
  },
  stop: async () => {
    clearInterval(radio)
    await Promise.all(under)
    return said
  },
  memory: () => {
    globalThis.gc?.()
    worst.rss = 0
    sample()
    return worst
  },
  /** Once as many sockets were let go as there are readers, or too slow ones are not noticed. */
  end: () =>
    new Promise((resolve) => {
      const begun = performance.now()
      const looking = setInterval(() => {
        sample()
        const stats = Object.fromEntries(chat.stats)
        if ((stats.closed_4008 ?? 0) < readers.length && performance.now() - begun < Number(PATIENCE)) return
        clearInterval(looking)
        resolve({ ...worst, stats })
      }, 50)
    }),
}
const under = new Set()
const track = (work) => {
  const tracked = work.finally(() => under.delete(tracked))
  return tracked
}

process.on('message', async ({ ask, number }) => process.send({ number, answer: (await answers[ask]()) ?? null }))
server.listen(0, '127.0.0.1', () => process.send({ number: 0, answer: server.address().port }))
