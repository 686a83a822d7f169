import type { Runtime } from '@kithwire/protocol'
import type { AppendQueue } from './append-queue.js'
import type { Authorizer } from './authorize.js'
import type { BusLink } from './bus-link.js'
import type { FanOut } from './fan-out.js'
import type { HotConversations } from './hot.js'
import type { ServerLimits } from './limits.js'
import type { Log } from './log.js'
import type { MarkQueue } from './mark-queue.js'
import type { Friendships } from './membership.js'
import type { Presence } from './presence.js'
import type { Privacy } from './privacy.js'
import type { UserRates } from './rate-limit.js'
import type { SessionRegistry } from './session-registry.js'
import type { Stats } from './stats.js'
import type { Store } from './store.js'
import type { Sweep } from './sweep.js'
import type { TimerWheel } from './timer-wheel.js'

/** Who is behind a socket, as the app authenticated them. */
export interface Identity {
  user: string
  /** When the credentials end, ms since 1970; absent: never. */
  expires?: number
  /** The client's address, for logs. */
  address?: string
  /** Checks a token sent in `auth` or `hello`; null means no. Rejects if it cannot tell now. */
  reauthenticate?(token: string): Promise<Identity | null>
}

/** Frames that were read and must be stored. */
export interface Backlog {
  /** Stops pacing: the server is about to end. */
  hurry(): void
}

/** What the parts of one server share. Made by `Core`, and by nobody else. */
export interface Context {
  readonly runtime: Runtime
  readonly store: Store
  readonly friendships: Friendships
  readonly limits: ServerLimits
  readonly log: Log
  readonly stats: Stats
  readonly wheel: TimerWheel
  readonly registry: SessionRegistry
  readonly authorizer: Authorizer
  readonly rates: UserRates
  readonly queue: AppendQueue
  readonly marks: MarkQueue
  readonly fanOut: FanOut
  readonly presence: Presence
  readonly privacy: Privacy
  readonly hot: HotConversations
  readonly sweep: Sweep
  /** Undefined for a server that is alone. */
  readonly link: BusLink | undefined
  /** Whether the content of an entry of type `file` names a file that members may be sent to. */
  readonly isFile: (content: string) => boolean
  /** Legacy sockets, gone ones included, that have frames to store: those cannot be sent again. */
  readonly backlogs: Set<Backlog>
  /** False once a drain has begun to refuse what is new. */
  takesSends: boolean
}
