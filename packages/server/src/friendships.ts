import { isId, isUserId, KithwireError, newId, type Runtime, systemRuntime } from '@kithwire/protocol'
import type { Friendships, Membership } from './membership.js'
import type { FriendshipRow, FriendshipRows, FriendshipState } from './store.js'

/** A friendship as one of its two users sees it. */
export interface Friendship {
  /** Also the id of the conversation of the two. */
  id: string
  /** The other one. */
  user: string
  state: FriendshipState
  /** Who asked last. */
  requester: string
  /** Which of the two have blocked the other; nobody can send while it is not empty. */
  blockedBy: readonly string[]
  /** Ms since 1970. */
  createdAt: number
  changedAt: number
}

export interface StoredFriendshipsOptions {
  /** @default systemRuntime */
  runtime?: Runtime
  /**
   * Whether the app knows this user: a request to one that it does not know is refused as `not_found`. Without it,
   * whoever is signed in can leave requests for ids that nobody has.
   * @default every id is taken for a user
   */
  isUser?(user: string): boolean | Promise<boolean>
  /** Requests of one user that may wait for an answer; beyond it `rate_limited`. @default 500 */
  maxPending?: number
  /** Awaited after each change of who may use the conversation, with the two of the pair. */
  onChange?(conversation: string, users: readonly string[]): void | Promise<void>
}

/** How often a change is tried again when somebody else changed the same row in between. */
const TRIES = 8

/**
 * The built-in friendships: who asked, accepted and blocked whom. One row per pair, whose id is the conversation of the
 * two; the conversation is open while the row is `accepted` and nobody has blocked anybody.
 *
 * What the blocked one learns is a policy, and ours is openness: both of a pair see `blockedBy`, and a send is refused
 * `blocked`, so that a person knows why. Everybody else gets the same `not_found` as for a row that does not exist.
 *
 * Every change is a compare-and-set, so it is right with any number of processes. All methods throw `KithwireError`:
 * `not_found`, `bad_field`, `blocked`, `bad_state` (the row does not allow it now), `rate_limited`, `conflict`.
 */
export class StoredFriendships implements Friendships {
  private readonly runtime: Runtime
  private readonly maxPending: number

  constructor(
    private readonly rows: FriendshipRows,
    private readonly options: StoredFriendshipsOptions = {},
  ) {
    this.runtime = options.runtime ?? systemRuntime
    this.maxPending = options.maxPending ?? 500
  }

  async members(conversation: string): Promise<readonly string[] | null> {
    const row = await this.rows.get(conversation)
    return row && isOpen(row) ? [row.user1, row.user2] : null
  }

  async of(user: string): Promise<readonly Membership[]> {
    const rows = await this.rows.of(user)
    return rows.filter(isOpen).map((row) => ({ conversation: row.id, members: [row.user1, row.user2] }))
  }

  async refusal(conversation: string, user: string): Promise<'blocked' | 'not_found'> {
    const row = await this.rows.get(conversation)
    return row && isOf(row, user) && row.blockedBy.length > 0 ? 'blocked' : 'not_found'
  }

  /** The friendships and open requests of a user; with `all`, also what was declined, cancelled or removed. */
  async list(user: string, options: { all?: boolean } = {}): Promise<Friendship[]> {
    const rows = await this.rows.of(user)
    const shown = options.all
      ? rows
      : rows.filter(({ state, blockedBy }) => state === 'pending' || state === 'accepted' || blockedBy.includes(user))
    return shown.sort((a, b) => a.createdAt - b.createdAt).map((row) => view(row, user))
  }

  /** The friendship or request between two users, whoever asked; undefined if there never was one. */
  async between(user: string, other: string): Promise<Friendship | undefined> {
    const row = await this.rows.between(user, other)
    return row && view(row, user)
  }

  /** Asks `to` to become a friend. If `to` has asked already, this accepts. Asking twice changes nothing. */
  async request(from: string, to: string): Promise<Friendship> {
    if (!isUserId(from) || !isUserId(to)) throw new KithwireError('bad_field', 'Expected two user ids.')
    if (from === to) throw new KithwireError('bad_field', 'Expected two different users, came the same one twice.')
    for (let attempt = 0; attempt < TRIES; attempt++) {
      const row = await this.rows.between(from, to)
      if (row?.state === 'pending' && row.requester !== from) return this.accept(from, row.id)
      if (row && (row.state === 'pending' || row.state === 'accepted') && row.blockedBy.length === 0)
        return view(row, from)
      if (row && row.blockedBy.length > 0) throw new KithwireError('blocked')
      await this.checkRequest(from, to)
      const next = row ? this.change(row, { state: 'pending', requester: from }) : this.fresh(from, to)
      if (await this.rows.put(next, row?.version)) return view(next, from)
    }
    throw new KithwireError('conflict')
  }

  /** Says yes to a request of the other one. */
  accept(user: string, id: string): Promise<Friendship> {
    return this.update(user, id, (row) => {
      if (row.state === 'accepted') return undefined
      if (row.blockedBy.length > 0) throw new KithwireError('blocked')
      if (row.state !== 'pending' || row.requester === user)
        throw badState('a pending request of the other one', row.state)
      return { state: 'accepted' }
    })
  }

  /** Says no to a request of the other one. They may ask again. */
  decline(user: string, id: string): Promise<Friendship> {
    return this.update(user, id, (row) => {
      if (row.state === 'declined' && row.requester !== user) return undefined
      if (row.state !== 'pending' || row.requester === user)
        throw badState('a pending request of the other one', row.state)
      return { state: 'declined' }
    })
  }

  /** Takes the user's own request back. */
  cancel(user: string, id: string): Promise<Friendship> {
    return this.update(user, id, (row) => {
      if (row.state === 'cancelled' && row.requester === user) return undefined
      if (row.state !== 'pending' || row.requester !== user) throw badState('a pending request of your own', row.state)
      return { state: 'cancelled' }
    })
  }

  /** Ends the friendship; a request is taken back or declined. The log stays, and is open again if they become friends again. */
  remove(user: string, id: string): Promise<Friendship> {
    return this.update(user, id, ({ state, requester }) => {
      if (state === 'accepted') return { state: 'removed' }
      if (state === 'pending') return { state: requester === user ? 'cancelled' : 'declined' }
      return undefined
    })
  }

  /** Closes the conversation for both at once, until `unblock`. Whether they are friends is not changed. */
  block(user: string, id: string): Promise<Friendship> {
    return this.update(user, id, ({ blockedBy }) =>
      blockedBy.includes(user) ? undefined : { blockedBy: [...blockedBy, user] },
    )
  }

  /** Takes the user's own block back; one of the other user stays. */
  unblock(user: string, id: string): Promise<Friendship> {
    return this.update(user, id, ({ blockedBy }) =>
      blockedBy.includes(user) ? { blockedBy: blockedBy.filter((other) => other !== user) } : undefined,
    )
  }

  private async update(
    user: string,
    id: string,
    decide: (row: FriendshipRow) => Partial<FriendshipRow> | undefined,
  ): Promise<Friendship> {
    if (!isId(id)) throw new KithwireError('not_found')
    for (let attempt = 0; attempt < TRIES; attempt++) {
      const row = await this.rows.get(id)
      if (!row || !isOf(row, user)) throw new KithwireError('not_found')
      const changes = decide(row)
      // Told all the same: whoever made this change may have died before it could tell.
      const next = changes === undefined ? row : this.change(row, changes)
      if (changes !== undefined && !(await this.put(next, row.version))) continue
      if (changes === undefined || isOpen(row) !== isOpen(next)) await this.tell(next)
      return view(next, user)
    }
    throw new KithwireError('conflict')
  }

  /** A write that fails may have been made all the same: what is remembered of the members must go then, too. */
  private async put(row: FriendshipRow, expected: number): Promise<boolean> {
    try {
      return await this.rows.put(row, expected)
    } catch (cause) {
      await this.tell(row)
      throw cause
    }
  }

  private async tell({ id, user1, user2 }: FriendshipRow): Promise<void> {
    await this.options.onChange?.(id, [user1, user2])
  }

  private async checkRequest(from: string, to: string): Promise<void> {
    if (this.options.isUser && !(await this.options.isUser(to))) throw new KithwireError('not_found', 'No such user.')
    const rows = await this.rows.of(from)
    const pending = rows.filter((row) => row.state === 'pending' && row.requester === from).length
    if (pending >= this.maxPending)
      throw new KithwireError('rate_limited', `Expected at most ${this.maxPending} requests without an answer.`)
  }

  private fresh(from: string, to: string): FriendshipRow {
    const now = this.runtime.now()
    const [user1, user2] = from < to ? [from, to] : [to, from]
    return {
      id: this.rows.newId?.() ?? newId(this.runtime),
      user1,
      user2,
      state: 'pending',
      requester: from,
      blockedBy: [],
      createdAt: now,
      changedAt: now,
      version: 1,
    }
  }

  private change(row: FriendshipRow, changes: Partial<FriendshipRow>): FriendshipRow {
    return { ...row, ...changes, changedAt: this.runtime.now(), version: row.version + 1 }
  }
}

const isOpen = (row: FriendshipRow): boolean => row.state === 'accepted' && row.blockedBy.length === 0
const isOf = (row: FriendshipRow, user: string): boolean => row.user1 === user || row.user2 === user

function view(row: FriendshipRow, user: string): Friendship {
  const { id, state, requester, blockedBy, createdAt, changedAt } = row
  const other = row.user1 === user ? row.user2 : row.user1
  return { id, user: other, state, requester, blockedBy, createdAt, changedAt }
}

const badState = (expected: string, came: FriendshipState) =>
  new KithwireError('bad_state', `Expected ${expected}, came one that is ${came}.`)
