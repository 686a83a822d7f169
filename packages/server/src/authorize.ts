import type { Runtime } from '@kithwire/protocol'
import type { LRUCache } from 'lru-cache'
import type { Friendships } from './membership.js'
import { remembered } from './remembered.js'

/** Whether a user may use a conversation now. */
export type Access =
  | { members: readonly string[]; refused?: undefined }
  | { members?: undefined; refused: 'not_found' | 'blocked' }

/**
 * Answers who may use a conversation. Members are remembered for a while; a no is never answered from memory, so that a
 * new member gets in at once, and "unknown" costs the same work as "not yours".
 */
export class Authorizer {
  private readonly known: LRUCache<string, readonly string[]>
  private readonly asking = new Map<string, Promise<readonly string[] | null>>()
  /** Raised by each invalidation: an answer that was on its way meanwhile is asked for again. */
  generation = 0

  constructor(
    private readonly friendships: Friendships,
    runtime: Runtime,
    rememberMs: number,
    /** Whether it is worth while: with nobody connected nothing is kept. */
    private readonly remember: () => boolean = () => true,
  ) {
    this.known = remembered(runtime, rememberMs)
  }

  get size(): number {
    return this.known.size + this.asking.size
  }

  /** The members, if they are remembered. */
  peek(conversation: string): readonly string[] | undefined {
    return this.known.get(conversation)
  }

  /** The members now, or null for a conversation that nobody may use. Rejects as the port does. */
  async members(conversation: string): Promise<readonly string[] | null> {
    return this.peek(conversation) ?? this.ask(conversation)
  }

  /** The answer, if it is a yes and remembered. */
  allowed(conversation: string, user: string): Access | undefined {
    const members = this.peek(conversation)
    return members?.includes(user) ? { members } : undefined
  }

  async check(conversation: string, user: string): Promise<Access> {
    const allowed = this.allowed(conversation, user)
    if (allowed) return allowed
    const members = await this.ask(conversation)
    if (members?.includes(user)) return { members }
    return { refused: (await this.friendships.refusal?.(conversation, user)) ?? 'not_found' }
  }

  /** Forgets a conversation: its members changed. */
  invalidate(conversation: string): void {
    this.generation++
    this.known.delete(conversation)
    this.asking.delete(conversation)
  }

  /** Members that were read elsewhere, if nothing was forgotten since `generation`. */
  learn(conversation: string, members: readonly string[], generation: number): void {
    if (generation === this.generation && this.remember()) this.known.set(conversation, members)
  }

  clear(): void {
    this.known.clear()
  }

  private async ask(conversation: string): Promise<readonly string[] | null> {
    for (;;) {
      const { generation } = this
      const members = await this.askOnce(conversation)
      if (generation === this.generation) {
        if (members !== null && this.remember()) this.known.set(conversation, members)
        return members
      }
    }
  }

  private askOnce(conversation: string): Promise<readonly string[] | null> {
    const running = this.asking.get(conversation)
    if (running !== undefined) return running
    const asked = Promise.resolve(this.friendships.members(conversation)).finally(() => {
      if (this.asking.get(conversation) === asked) this.asking.delete(conversation)
    })
    this.asking.set(conversation, asked)
    return asked
  }
}
