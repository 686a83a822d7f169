/** A conversation that a user is a member of. */
export interface Membership {
  conversation: string
  members: readonly string[]
  /** The seq behind which a device that has never seen the conversation starts. @default 0 */
  joined?: number
}

/**
 * Who may talk to whom. An app with its own friend table implements just these two; everything else of Kithwire asks
 * here and nowhere else.
 */
export interface Friendships {
  /** The members, or null for a conversation that is unknown, pending, blocked or removed: nobody may use it now. */
  members(conversation: string): Promise<readonly string[] | null>
  /** All conversations that the user is a member of now. */
  of(user: string): Promise<readonly Membership[]>
  /** Why a conversation is closed to a user, if they may know: 'blocked' instead of `not_found`. @default never */
  refusal?(conversation: string, user: string): Promise<'blocked' | 'not_found'>
}
