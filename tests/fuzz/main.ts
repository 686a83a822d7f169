import { fuzzClients } from './clients.js'
import { fuzzCodec } from './codec.js'
import { fuzzFrames } from './frames.js'
import { fuzzHandshakes } from './handshakes.js'
import { fuzzSessions } from './sessions.js'
import { type Options, Tally } from './tally.js'

/** The kinds, each in a process of its own: one that hangs or grows shows by itself. */
const KINDS: Readonly<Record<string, (options: Options, tally: Tally) => Promise<void>>> = {
  codec: fuzzCodec,
  sessions: fuzzSessions,
  clients: fuzzClients,
  frames: fuzzFrames,
  handshakes: fuzzHandshakes,
}

/** Runs one kind as a child of the test, and answers with what it found. */
async function main([kind = '', given = '{}']: string[]): Promise<void> {
  const tally = new Tally(kind)
  for (const event of ['uncaughtException', 'unhandledRejection'] as const)
    process.on(event, (error: unknown) => {
      tally.wrong(-1, `${event}: ${error instanceof Error ? error.stack : error}`, 'one of the last')
    })
  await KINDS[kind]!(JSON.parse(given), tally)
  process.send?.({ outcome: tally }, () => process.exit(0))
}

void main(process.argv.slice(2))
