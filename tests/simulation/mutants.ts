/** One change of a source. */
export interface Edit {
  /** Path from the root of the repository. */
  file: string
  /** Text that stands there exactly once. */
  text: string
  replacement: string
}

/** An error of the product that the simulation must find; of two lines where two guards stand behind each other. */
export interface Mutant {
  name: string
  edits: readonly Edit[]
  /** Seeds within which it must show. */
  within: number
}

const CLIENT = 'packages/client/src'
const SERVER = 'packages/server/src'
/** The server's store is simulated, so an error of an adapter is planted there. */
const STORE = 'tests/simulation'

const edit = (file: string, text: string, replacement: string): Edit => ({ file, text, replacement })

const mutant = (name: string, file: string, text: string, replacement: string, within = 1_000): Mutant => ({
  name,
  edits: [edit(file, text, replacement)],
  within,
})

export const MUTANTS: readonly Mutant[] = [
  mutant(
    'ack before commit',
    `${STORE}/journal-store.ts`,
    'this.journal.flushed(() => clock.setTimer(() => resolve(answer), this.delay()), reject)',
    'clock.setTimer(() => resolve(answer), this.delay())',
  ),
  mutant('no idempotency', `${STORE}/disk.ts`, 'if (known !== undefined) {', 'if (known === null) {'),
  {
    name: 'no gap check',
    edits: [
      edit(`${CLIENT}/inbox.ts`, 'if (item.seq <= next) run.push(item)', 'if (item.seq > 0) run.push(item)'),
      edit(
        `${CLIENT}/stores/memory.ts`,
        'if (item.seq > row.state.applied + 1) break',
        'if (item.seq > row.state.applied + 1) row.state = { ...row.state, applied: item.seq - 1 }',
      ),
    ],
    within: 1_000,
  },
  mutant(
    'reads that are not durable',
    `${STORE}/journal-store.ts`,
    'const answer = look(this.journal.stable)',
    'const answer = look(this.journal.written)',
  ),
  mutant('trap: ignoring a stale socket', `${CLIENT}/connection.ts`, 'if (link.live) run()', 'run()'),
  mutant(
    'trap: listeners with positions',
    `${CLIENT}/subscriptions.ts`,
    'if (after !== undefined || !listener.keeps) listener.positions.set(conversation, after ?? seq)',
    'listener.positions.set(conversation, seq)',
  ),
  mutant(
    'trap: compare inside the transaction',
    `${CLIENT}/stores/memory.ts`,
    'if (item.seq === row.state.applied + 1) {',
    'if (item.seq <= row.state.applied + 1) {',
  ),
  mutant(
    'trap: look-up before a refusal',
    `${SERVER}/acknowledge.ts`,
    "if (code !== undefined && !WIRE_ERRORS[code].retry && code !== 'cid_conflict') {",
    'if (code === null) {',
    5_000,
  ),
  {
    name: 'trap: one item at a time after 1009',
    edits: [
      edit(`${CLIENT}/suspects.ts`, 'if (flight.length === 1 && ++suspect', 'if (++suspect'),
      edit(`${CLIENT}/outbox.ts`, 'const room = this.suspects.any ? 1 : inflight', 'const room = inflight'),
    ],
    within: 1_000,
  },
  mutant(
    'trap: retention keeps cids',
    `${STORE}/disk.ts`,
    'this.firsts.set(record.conversation, record.first)',
    'this.firsts.set(record.conversation, record.first)\n        for (const [key, { entry }] of this.cids) if (entry.conversation === record.conversation && entry.seq < record.first) this.cids.delete(key)',
    3_000,
  ),
  mutant(
    'trap: first in pages',
    `${CLIENT}/inbox.ts`,
    'const { first = 1, items = [],',
    'const { items = [], first = 1 as number } = { ...page, first: 1 }; const {',
  ),
  mutant('trap: settling acks at any seq', `${CLIENT}/outbox.ts`, 'lane.acked.add(item.cid)', 'void lane'),
  mutant('trap: emptying held items', `${CLIENT}/inbox.ts`, 'this.views.clear()', 'void 0', 5_000),
  mutant(
    'trap: reset event',
    `${CLIENT}/subscriptions.ts`,
    'this.hooks.reset(conversation, to, removed)',
    'void removed',
  ),
  mutant(
    'trap: tails at every hello',
    `${SERVER}/resume.ts`,
    "if (tail !== '' && known !== tail) {",
    'if (known === null) {',
  ),
  {
    name: 'trap: marks in hello',
    edits: [
      edit(
        `${SERVER}/handlers/hello.ts`,
        'await markDelivered(context, session, heads, resume.confirmed)',
        'void markDelivered',
      ),
      edit(
        `${CLIENT}/receipts.ts`,
        'if (applied <= head && (applied > delivered || own > read)) this.touch(conversation)',
        'void [own, applied, head]',
      ),
    ],
    within: 1_000,
  },
  mutant(
    'trap: behind on becoming a member',
    `${SERVER}/core.ts`,
    'this.context.fanOut.behind(conversation, users)',
    'void users',
  ),
  mutant('heads before registering', `${SERVER}/handlers/hello.ts`, '  registry.startReceiving(session)\n', '', 3_000),
  mutant(
    'no second send after a lost socket',
    `${CLIENT}/outbox.ts`,
    'for (const conversation of await this.hooks.store.waiting()) this.dirty.add(conversation)',
    'await this.hooks.store.waiting()',
  ),
  mutant(
    'membership remembered after a block',
    `${SERVER}/core.ts`,
    'this.context.authorizer.invalidate(conversation)',
    'void conversation',
  ),
]
