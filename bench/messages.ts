/** Which users there are, and who talks with whom. Users are numbers; `name` makes an id of one. */
export interface World {
  users: number
  /** `pairs`: 0 with 1, 2 with 3 and so on. `star`: 0 with everybody else. */
  shape: 'pairs' | 'star'
  /** Connections of each user. */
  devices: number
}

export const name = (user: number): string => `user-${user}`

/** The friendships of a world. */
export function friendsOf({ users, shape }: World): (readonly [number, number])[] {
  if (shape === 'star') return Array.from({ length: users - 1 }, (_, index) => [0, index + 1] as const)
  return Array.from({ length: users >> 1 }, (_, index) => [2 * index, 2 * index + 1] as const)
}

/** What a server process is told, in the environment variable BENCH. */
export interface ServerPlan {
  peer: string
  port: number
  /** A directory of its own. */
  data: string
  /** Absent in a process that comes back to the data of an earlier one. */
  world?: World
  /** The address of an empty database. */
  mongo?: string
  /** The checkout whose built packages are run. */
  root: string
}

export type ToServer = { do: 'collect' } | { do: 'usage' } | { do: 'stop' }

export type FromServer =
  /** `conversations[i]` is that of friendship i, where the peer has conversations. */
  { is: 'listening'; conversations?: readonly string[] } | { is: 'collected' } | { is: 'usage'; microseconds: number }

/** What the load process is told. */
export interface LoadPlan {
  wire: string
  port: number
  world: World
  conversations: readonly string[]
  /** Messages that each sender keeps on their way. */
  inFlight: number
  /** Only the first of each pair sends. */
  oneWay: boolean
}

export type ToLoad =
  | { do: 'connect'; plan: LoadPlan /** Users who connect. @default all */; only?: readonly number[] }
  | { do: 'start' }
  | { do: 'count' }
  /** Ends all connections at once; `stay` is whether they stay away until `return`. */
  | { do: 'drop'; stay: boolean }
  | { do: 'return' /** Forget what the devices have. */; anew?: boolean }
  /** Makes no more messages; resolves when what is on its way has come, or nothing comes any more. */
  | { do: 'finish' }
  /** `user` sends so many messages as fast as the protocol lets it. */
  | { do: 'write'; user: number; messages: number }

/** What went wrong with messages, all told. */
export interface Exactness {
  lost: number
  double: number
  outOfOrder: number
  /** Those of `lost` that the sender was told were delivered or stored. */
  acknowledgedButLost: number
}

export interface Counts {
  acknowledged: number
  arrived: number
  /** Ms of the load process's clock. */
  at: number
}

export interface Result extends Counts {
  exactness: Exactness
  /** Ms from making a message to its acknowledgement; of those since `start` settled. */
  p50: number
  p99: number
}

export type FromLoad =
  | { is: 'connected'; ms: number; welcomed: number }
  | { is: 'started' }
  | { is: 'dropped' }
  | ({ is: 'counted' } & Counts)
  | ({ is: 'finished' } & Result)
  | { is: 'written' }
