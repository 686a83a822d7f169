import type { FriendshipRow, FriendshipRows } from '../store.js'

const copy = (row: FriendshipRow): FriendshipRow => ({ ...row, blockedBy: [...row.blockedBy] })
const isOf = (row: FriendshipRow, user: string) => row.user1 === user || row.user2 === user

/** Friendship rows in memory, indexed by id and, from both sides, by user. */
export class MemoryFriendshipRows implements FriendshipRows {
  readonly #byId = new Map<string, FriendshipRow>()
  /** user → the other user → row. */
  readonly #byUser = new Map<string, Map<string, FriendshipRow>>()
  readonly #check: () => void

  /** `check` throws once the store is closed. */
  constructor(check: () => void) {
    this.#check = check
  }

  async get(id: string): Promise<FriendshipRow | undefined> {
    this.#check()
    const row = this.#byId.get(id)
    return row && copy(row)
  }

  async between(one: string, other: string): Promise<FriendshipRow | undefined> {
    this.#check()
    const row = this.#byUser.get(one)?.get(other)
    return row && copy(row)
  }

  async of(user: string): Promise<FriendshipRow[]> {
    this.#check()
    return [...(this.#byUser.get(user)?.values() ?? [])].map(copy)
  }

  async put(row: FriendshipRow, expected: number | undefined): Promise<boolean> {
    this.#check()
    const known = this.#byId.get(row.id)
    if (known?.version !== expected) return false
    if (known && !(isOf(known, row.user1) && isOf(known, row.user2))) return false
    if (!known && this.#byUser.get(row.user1)?.has(row.user2)) return false
    const stored = copy(row)
    this.#byId.set(row.id, stored)
    this.#link(row.user1, row.user2, stored)
    this.#link(row.user2, row.user1, stored)
    return true
  }

  #link(user: string, other: string, row: FriendshipRow): void {
    const rows = this.#byUser.get(user)
    if (rows) rows.set(other, row)
    else this.#byUser.set(user, new Map([[other, row]]))
  }
}
