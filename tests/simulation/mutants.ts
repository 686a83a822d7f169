import { CLIENT, edit, type Mutant, mutant, SERVER, STORE } from './mutant.js'
import { NODE_MUTANTS } from './node-mutants.js'
import { TRAPS } from './traps.js'

export const MUTANTS: readonly Mutant[] = [
  ...TRAPS,
  ...NODE_MUTANTS,
  mutant(
    'ack before commit',
    `${STORE}/journal-store.ts`,
    'this.journal.flushed(() => clock.setTimer(answered, this.delay()), reject)',
    'clock.setTimer(answered, this.delay())',
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
  {
    name: 'heads before registering',
    edits: [
      edit(`${SERVER}/handlers/hello.ts`, '  registry.startReceiving(session)\n', ''),
      edit(
        `${SERVER}/handlers/hello.ts`,
        '  const resume = await readResume(',
        '  registry.startReceiving(session)\n  const resume = await readResume(',
      ),
    ],
    within: 3_000,
  },
  {
    name: 'no second send after a lost socket',
    edits: [
      edit(
        `${CLIENT}/outbox.ts`,
        'for (const conversation of await this.hooks.store.waiting()) this.dirty.add(conversation)',
        'await this.hooks.store.waiting()',
      ),
      edit(`${CLIENT}/changes.ts`, 'for (const conversation of await store.waiting()) outbox.wake(conversation)', ''),
    ],
    within: 10_000,
  },
  mutant(
    'membership remembered after a block',
    `${SERVER}/core.ts`,
    'authorizer.invalidate(conversation)',
    'void authorizer',
  ),
  mutant(
    'idempotency only in memory',
    `${STORE}/disk.ts`,
    'for (const [key, known] of this.cids) copy.cids.set(key, known)',
    '',
  ),
  {
    name: 'cursor stored without its entry',
    edits: [
      edit(
        `${STORE}/client-store.ts`,
        'for (const run of [...this.begun].slice(0, done)) run()',
        `for (const run of [...this.begun].slice(0, done)) {
        const torn = globalThis as { torn?: boolean }
        torn.torn = true
        run()
        torn.torn = false
      }`,
      ),
      edit(
        `${CLIENT}/stores/memory.ts`,
        'row.log.push(item)',
        'if (!(globalThis as { torn?: boolean }).torn) row.log.push(item)',
      ),
    ],
    within: 1_000,
  },
  mutant(
    'told as delivered before it is stored',
    `${CLIENT}/account.ts`,
    'return this.inbox.receive(link, frame.conversation, frame.items)',
    `link.post({ t: 'cursor', conversation: frame.conversation, delivered: frame.items.at(-1)!.seq })
        return this.inbox.receive(link, frame.conversation, frame.items)`,
  ),
  mutant(
    'fan-out to the origin only',
    `${SERVER}/fan-out.ts`,
    'this.hand(push, fresh, now, (peer) => peer !== origin && peer.push(push)),',
    'this.hand(push, fresh, now, (peer) => peer === origin && peer.push(push)),',
  ),
  mutant(
    "no fan-out to the sender's other devices",
    `${SERVER}/fan-out.ts`,
    'this.hand(push, fresh, now, (peer) => peer !== origin && peer.push(push)),',
    'this.hand(push, fresh, now, (peer) => peer.user !== from && peer.push(push)),',
  ),
  mutant(
    'no behind for pushes before welcome',
    `${SERVER}/session.ts`,
    'if (!signal) this.behind.add(push.conversation)',
    'if (!signal && ready) this.behind.add(push.conversation)',
    10_000,
  ),
  mutant(
    'no behind for a slow reader',
    `${SERVER}/session.ts`,
    'if (!signal) this.behind.add(push.conversation)',
    'if (!signal && !ready) this.behind.add(push.conversation)',
    10_000,
  ),
  mutant(
    'behind is forgotten when its heads cannot be read',
    `${SERVER}/behind.ts`,
    '        for (const conversation of part) this.add(conversation)\n',
    '',
    10_000,
  ),
  mutant(
    'no behind after an unknown outcome',
    `${SERVER}/fan-out.ts`,
    "if (duplicates || outcome.refused?.code === 'store_unavailable') this.behind(conversation, members)",
    '',
    10_000,
  ),
  {
    name: 'no pause guard',
    edits: [
      edit(`${SERVER}/heartbeat.ts`, 'if (late > PAUSE_MS) this.beat()', 'if (late < 0) this.beat()'),
      edit(`${SERVER}/heartbeat.ts`, 'else if (again) this.peer.dead()', 'else if (again || !again) this.peer.dead()'),
    ],
    within: 10_000,
  },
  mutant(
    'a stale answer about members is remembered',
    `${SERVER}/authorize.ts`,
    'if (generation === this.generation) {',
    'if (generation <= this.generation) {',
    10_000,
  ),
  mutant(
    'members are not asked again before a page',
    `${SERVER}/handlers/sync.ts`,
    'if (now.refused) refuse(now.refused)\n    else answer(page)',
    'answer(page)',
    5_000,
  ),
  mutant(
    'members are not asked again before the rest of welcome',
    `${SERVER}/handlers/hello.ts`,
    "if (members !== undefined) session.send({ t: 'messages', conversation, items })",
    "if (members !== null) session.send({ t: 'messages', conversation, items })",
    5_000,
  ),
  mutant(
    'pushes go to members as of the send',
    `${SERVER}/fan-out.ts`,
    'const members = authorizer.peek(conversation)',
    'const members = fallback',
    3_000,
  ),
  mutant(
    'acknowledged entries do not come back after a reset',
    `${CLIENT}/stores/memory.ts`,
    'this.outbox.putBack(conversation, back, left.reverse())',
    'void back',
  ),
  mutant(
    'entries that a reset puts back stand in front of older ones',
    `${CLIENT}/stores/memory-outbox.ts`,
    'this.places.set(keyOf(item), places[index]!)',
    'this.places.set(keyOf(item), -1)',
    10_000,
  ),
  mutant(
    'a refusal on an older socket holds',
    `${CLIENT}/stores/memory.ts`,
    'if (attempt !== undefined && attempt !== this.identity?.attempt) return false',
    'void attempt',
    10_000,
  ),
  mutant(
    'entries above a reset stay',
    `${CLIENT}/stores/memory.ts`,
    'const dropped = from < 0 ? [] : row.log.splice(from)',
    'const dropped = from < 0 ? [] : row.log.slice(from)',
  ),
  mutant(
    'listeners are not set back by a reset',
    `${CLIENT}/subscriptions.ts`,
    'if (position !== undefined && position > to) positions.set(conversation, to)',
    'void position',
  ),
  mutant(
    'what was read before a reset is delivered',
    `${CLIENT}/subscriptions.ts`,
    'if (listener.stopped || track.version !== version) return true',
    'if (listener.stopped || track.version < version) return true',
    10_000,
  ),
  mutant(
    'sends do not wait for the comparison of the logs',
    `${CLIENT}/inbox.ts`,
    'return view !== undefined && (view.resetting || !view.confirmed)',
    'return view !== undefined && view.resetting && !view.resetting',
  ),
  mutant('acknowledged items are not applied', `${CLIENT}/outbox.ts`, 'if (acked.length > 0)', 'if (acked.length < 0)'),
  mutant(
    'marks that failed are not sent again',
    `${CLIENT}/account.ts`,
    'if (WIRE_ERRORS[frame.code].retry) this.receipts.failed()',
    'void WIRE_ERRORS',
    5_000,
  ),
  mutant(
    'marks are not told again after a reset',
    `${CLIENT}/account.ts`,
    'this.receipts.restart(conversation)',
    'void 0',
    10_000,
  ),
  mutant(
    'what the server has counted is counted again',
    `${CLIENT}/unread.ts`,
    'counted: Math.max(head, state.applied)',
    'counted: state.applied',
    3_000,
  ),
  mutant(
    'what came after the server has counted is not counted in',
    `${CLIENT}/unread.ts`,
    'after: Math.max(head, next.seen),',
    'after: state.applied,',
    3_000,
  ),
  mutant(
    'entries count that were read elsewhere before they came',
    `${CLIENT}/unread.ts`,
    'const counts = item.seq > state.seen && ',
    'const counts = ',
    10_000,
  ),
  mutant(
    'a dead socket is not noticed',
    `${CLIENT}/connection.ts`,
    "dead: () => this.dispatch({ type: 'silent' }),",
    'dead: () => {},',
    10_000,
  ),
  mutant(
    'an old client gets a new cid with each try',
    `${SERVER}/legacy-session.ts`,
    'queue.append({ ...send, stored })',
    'queue.append({ ...send, items: [{ cid: newCid(runtime), type, content }], stored })',
    3_000,
  ),
  mutant('members are remembered for ever', `${SERVER}/core.ts`, '        authorizer.clear()\n', ''),
  mutant(
    'two appends of a conversation at once',
    `${SERVER}/append-queue.ts`,
    'if (locked.has(job.conversation)) continue',
    '',
    10_000,
  ),
  mutant(
    'sends in the queue survive a block',
    `${SERVER}/core.ts`,
    'await queue.recall(conversation)',
    'void queue',
    10_000,
  ),
]
