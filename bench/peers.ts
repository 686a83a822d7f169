/** One kind of server that is compared. */
export interface Peer {
  /** As `--peers` names it. */
  id: string
  /** As tables name it. */
  title: string
  /** The entry of servers/main.ts. */
  server: string
  /** The protocol that the load speaks with it. */
  wire: string
  /** What it keeps over a kill of its process. */
  durable: boolean
  /** Whether a device that was away gets what it has missed. */
  catchesUp: boolean
  needsMongo: boolean
  kithwire: boolean
  /** A checkout of another commit, for `--against`. */
  root?: string
}

const peer = (id: string, title: string, server: string, wire: string, traits: Partial<Peer> = {}): Peer => ({
  ...{ id, title, server, wire, durable: false, catchesUp: false, needsMongo: false, kithwire: false },
  ...traits,
})

const stored = { durable: true, catchesUp: true }
const kithwire = { ...stored, kithwire: true }

/** Ratios are to this one. */
export const REFERENCE = 'socket.io'

export const PEERS: readonly Peer[] = [
  peer('ws', 'bare ws relay, no storage', 'relay', 'relay'),
  peer(REFERENCE, 'Socket.IO relay, no storage', 'socketIo', 'socket-io'),
  peer('socket.io-full', 'Socket.IO + SQLite FULL, one commit a message', 'socketIoFull', 'socket-io-stored', stored),
  peer('socket.io-normal', 'Socket.IO + SQLite NORMAL', 'socketIoNormal', 'socket-io-stored', stored),
  peer('article', "the article's design: mongoose save(), then relay", 'article', 'article', {
    durable: true,
    needsMongo: true,
  }),
  peer('memory', 'Kithwire, memory', 'kithwireMemory', 'kithwire', { ...kithwire, durable: false }),
  peer('sqlite', 'Kithwire, SQLite FULL', 'kithwireSqlite', 'kithwire', kithwire),
  peer('sqlite-threaded', 'Kithwire, SQLite FULL, thread: true', 'kithwireSqliteThreaded', 'kithwire', kithwire),
  peer('mongodb', 'Kithwire, MongoDB', 'kithwireMongo', 'kithwire', { ...kithwire, needsMongo: true }),
]
