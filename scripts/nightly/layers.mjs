/**
 * What `npm run nightly` runs. A layer has a size, `total`, done in chunks: the runs `first … first + count - 1`, so
 * that a run that is interrupted goes on where it was.
 *
 * - `vitest`: test files of the built packages, given their size by environment variables; a layer's summary is what
 *   they write to the file that REPORT names (tests/support/report.ts), or else their tests, counted.
 * - `simulate`: arguments of scripts/simulate.mjs.
 * - `histogram`: counts by fault and by what was going on, for a table of its own.
 * - `drawn`: its runs are drawn at random, so that their number says how rare a failure is.
 */
export const layers = [
  {
    id: 'simulation',
    name: 'simulation of the shipped classes',
    unit: 'seeds',
    drawn: true,
    total: 1_000_000,
    chunk: 10_000,
    simulate: ({ first, count, report }) => ['--first', `${first}`, '--seeds', `${count}`, '--report', report],
    histogram: ({ histogram }) => histogram,
    figures: ({ faults, events }) => `${figure(faults)} faults, ${figure(events)} events`,
  },
  {
    id: 'mutants',
    name: 'errors planted in the shipped code, all to be found',
    unit: 'mutants',
    simulate: ({ report }) => ['--mutants', '', '--report', report],
  },
  {
    id: 'properties',
    name: 'properties of codec, connection, backoff, outbox and inbox',
    unit: 'inputs',
    drawn: true,
    total: 100_000,
    project: 'unit',
    vitest: [
      'packages/protocol/src/codec.properties.test.ts',
      'packages/client/src/connection-state.properties.test.ts',
      'packages/client/src/backoff.properties.test.ts',
      'packages/client/src/outbox.properties.test.ts',
      'packages/client/src/inbox.properties.test.ts',
    ],
    env: ({ count }) => ({ RUNS: count }),
    // So many of each property.
    each: true,
  },
  {
    id: 'conformance',
    name: 'contract of the stores',
    unit: 'tests',
    vitest: ['tests/stores/sqlite-conformance.test.ts', 'tests/mongo/conformance.test.ts'],
  },
  {
    id: 'appends',
    name: 'concurrent appends of four processes to one SQLite file',
    unit: 'appends',
    total: 1_000_000,
    chunk: 250_000,
    vitest: ['tests/stores/sqlite-processes.test.ts'],
    env: ({ count }) => ({ APPENDS: count }),
  },
  {
    id: 'store-kills',
    name: 'kill -9 of processes that write to SQLite',
    unit: 'kills',
    drawn: true,
    total: 300,
    chunk: 50,
    vitest: ['tests/stores/sqlite-kills.test.ts'],
    env: ({ first, count }) => ({ KILLS: count, SEED: first }),
    figures: ({ entries }) => `${figure(entries)} entries`,
  },
  {
    id: 'kills',
    name: 'kill -9 of the server, 200 messages in flight',
    unit: 'kills',
    drawn: true,
    total: 1_000,
    chunk: 100,
    vitest: ['tests/faults/kill-server.test.ts'],
    env: ({ first, count }) => ({ KILLS: count, SEED: first }),
    figures: ({ entries, deaths, restarts }) => {
      const sorted = restarts.sort((a, b) => a - b)
      const percentile = (share) => figure(sorted[Math.ceil(sorted.length * share) - 1] ?? 0)
      return (
        `${figure(entries)} entries; deaths at random, while starting and at ${Object.keys(deaths).length - 2} named ` +
        `places; from start to first acknowledgement p50 ${percentile(0.5)} ms, p99 ${percentile(0.99)} ms`
      )
    },
  },
  {
    id: 'mongo-kills',
    name: 'kill -9 of mongod, alone and as one of three, and step-down, 200 messages in flight',
    unit: 'faults',
    drawn: true,
    total: 300,
    chunk: 50,
    vitest: ['tests/mongo/kills.test.ts'],
    env: ({ first, count }) => ({ MONGO_KILLS: count, SEED: first }),
    figures: ({ entries, stallMs }) => `${figure(entries)} entries; no acknowledgement for at most ${stallMs.max} ms`,
  },
  {
    id: 'migrate-kills',
    name: 'kill -9 of a migration of 1,000,000 old rows in MongoDB, each row compared at the end',
    unit: 'kills',
    drawn: true,
    total: 20,
    chunk: 20,
    vitest: ['tests/cli/migrate-kill.test.ts'],
    env: ({ first, count }) => ({ MIGRATE_ROWS: 1_000_000, MIGRATE_KILLS: count, SEED: first }),
    figures: ({ inTheMiddle }) => `${figure(inTheMiddle)} of them while rows were numbered`,
  },
  {
    id: 'sync-order',
    name: 'acknowledgements sent after the sync of what they acknowledge, by strace',
    unit: 'acknowledgements',
    vitest: ['tests/faults/sync-order.test.ts'],
    env: ({ scale }) => ({ MESSAGES: Math.max(50, Math.round(2_000 * scale)) }),
  },
  {
    id: 'cuts',
    name: 'connection cut, reset or silenced at every byte, both directions',
    unit: 'cuts',
    vitest: ['tests/cut'],
    env: ({ scale }) => ({ CUT_EVERY: Math.max(1, Math.round(1 / scale)) }),
  },
  {
    id: 'fuzz',
    name: 'hostile input: envelopes, frames, handshakes',
    unit: 'inputs',
    drawn: true,
    total: 10_000_000,
    chunk: 1_000_000,
    vitest: ['tests/fuzz'],
    env: ({ first, count }) => ({ FUZZ: count, SEED: first }),
  },
  {
    id: 'hostile',
    name: 'hostile cases beside healthy clients',
    unit: 'tests',
    vitest: ['tests/hostile'],
  },
  {
    id: 'storm',
    name: 'reconnect storm: kills and rolling restarts',
    unit: 'rounds',
    vitest: ['tests/storm'],
    env: ({ scale }) => ({ STORM: Math.max(100, Math.round(10_000 * scale)) }),
    figures: ({ sockets }) => `${figure(sockets)} sockets`,
  },
  {
    id: 'readers',
    name: 'slow and dead readers',
    unit: 'sockets',
    vitest: ['tests/readers'],
    env: ({ scale }) => ({ READERS: Math.max(10, Math.round(1_000 * scale)) }),
  },
  {
    id: 'autobahn',
    name: 'RFC 6455 by Autobahn, with the real limits and without',
    unit: 'tests',
    vitest: ['tests/autobahn'],
    env: () => ({ NIGHTLY: 1 }),
  },
]

const figure = (number) => Number(number).toLocaleString('en')

/** The chunks of a layer at a scale: `{ first, count }`, in order. A layer without a total is one chunk. */
export function chunksOf({ total, chunk = total }, scale) {
  if (total === undefined) return [{ first: 1, count: 1, scale }]
  const runs = Math.max(1, Math.round(total * scale))
  const chunks = []
  for (let first = 1; first <= runs; first += chunk)
    chunks.push({ first, count: Math.min(chunk, runs - first + 1), scale })
  return chunks
}
