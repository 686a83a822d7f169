import { type Mutant, mutant, SERVER } from './mutant.js'

/** What several servers over one store need so that no device stays behind, each of it left out. */
export const NODE_MUTANTS: readonly Mutant[] = [
  mutant(
    'nodes: nobody looks for what was not told',
    `${SERVER}/sweep.ts`,
    'if (limits.sweepMs === 0 || registry.size === 0) return',
    'if (limits.sweepMs >= 0 || registry.size === 0) return',
  ),
  mutant(
    'nodes: what one device was told counts for all',
    `${SERVER}/hot.ts`,
    'if (this.known.has(conversation)) return\n',
    'if (this.known.has(conversation)) return this.told(conversation, seq)\n',
    3_000,
  ),
  mutant(
    'nodes: an entry that does not continue is kept from devices',
    `${SERVER}/fan-out.ts`,
    'else if (!known) peer.missed(conversation)',
    '',
    3_000,
  ),
  mutant(
    'nodes: a doubled hint is handed out twice',
    `${SERVER}/fan-out.ts`,
    "items.filter((item) => hot.judge(conversation, item.seq) !== 'old')",
    '[...items]',
    3_000,
  ),
  mutant('nodes: nobody looks for new conversations', `${SERVER}/sweep.ts`, 'await this.meet()', ''),
  mutant(
    'nodes: a conversation is known to all once it is to one',
    `${SERVER}/sweep.ts`,
    'if (peer.unaware(conversation)) peer.missed(conversation)',
    'if (this.context.hot.seqOf(conversation) === undefined) peer.missed(conversation)',
  ),
]
