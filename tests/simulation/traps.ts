import { CLIENT, edit, type Mutant, mutant, SERVER, STORE } from './mutant.js'

/** The rules of the protocol that a first simulation of it proved to be needed, each of them left out. */
export const TRAPS: readonly Mutant[] = [
  mutant('trap: ignoring a stale socket', `${CLIENT}/connection.ts`, 'link.live && run()', 'run()'),
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
    "const { first = 1, tail = '', items = [],",
    "const { tail = '', items = [], first = 1 as number } = { ...page, first: 1 }; const {",
  ),
  mutant('trap: settling acks at any seq', `${CLIENT}/outbox.ts`, 'lane.acked.add(item.cid)', 'void lane'),
  {
    name: 'trap: emptying held items',
    edits: [
      edit(`${CLIENT}/inbox.ts`, 'this.views.clear()', 'void 0'),
      edit(`${CLIENT}/inbox.ts`, 'view.held.clear()\n      this.retreat.stop', 'this.retreat.stop'),
    ],
    within: 10_000,
  },
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
    'fanOut.behind(conversation, users)',
    'void [users, fanOut]',
  ),
  mutant(
    'trap: attempt',
    `${SERVER}/session-registry.ts`,
    'if (this.replace(peer.user, peer.device, peer.attempt) > peer.attempt) return false',
    'this.replace(peer.user, peer.device, Number.MAX_SAFE_INTEGER)',
    3_000,
  ),
  mutant(
    'trap: reclaiming after 4009',
    `${CLIENT}/connection-state.ts`,
    "return [{ ...then, phase: 'following', replaced: state.replaced + 1 }, [...first, { do: 'yield' }, { do: 'lead' }]]",
    "return [{ ...then, phase: 'stopped' }, [...first, { do: 'yield' }]]",
  ),
  {
    name: "trap: look-up behind the device's queue",
    edits: [
      edit(`${SERVER}/acknowledge.ts`, 'await queue.settled(session.key)', 'void queue'),
      edit(`${SERVER}/handlers/hello.ts`, 'await queue.settled(session.key)', 'void queue'),
    ],
    within: 10_000,
  },
]
