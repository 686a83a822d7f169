import type { ClientStore, ConversationState, StoreChange } from './client-store.js'

/** Tells where this user stands in each conversation, and how much is unread there, whatever changed it. */
export class Places {
  private readonly last = new Map<string, number>()
  private readonly looking = new Set<string>()
  private readonly further = new Set<string>()

  constructor(
    private readonly store: ClientStore,
    private readonly hooks: {
      read(conversation: string, seq: number): void
      unread(conversation: string, unread: number): void
      error(error: unknown): void
    },
  ) {}

  look(change: StoreChange): void {
    const { kind } = change
    if (kind !== 'applied' && kind !== 'read' && kind !== 'unread' && kind !== 'reset') return
    const { conversation } = change
    if (kind === 'read') this.further.add(conversation)
    // One look sees all changes that were made before it.
    if (this.looking.has(conversation)) return
    this.looking.add(conversation)
    Promise.resolve()
      .then(() => {
        this.looking.delete(conversation)
        return this.store.conversation(conversation)
      })
      .then((state) => state && this.tell(state))
      .catch((error: unknown) => this.hooks.error(error))
  }

  private tell({ conversation, read, unread }: ConversationState): void {
    if (this.further.delete(conversation)) this.hooks.read(conversation, read)
    if (this.last.get(conversation) === unread) return
    this.last.set(conversation, unread)
    this.hooks.unread(conversation, unread)
  }
}
