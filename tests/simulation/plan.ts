import type { SeededRandom } from '@kithwire/protocol/testing'

/** What a run is made of: a function of its seed alone. */
export interface Plan {
  users: readonly string[]
  devices: readonly DevicePlan[]
  /** Hosts of the article's clients, one user each. */
  legacy: readonly { host: string; user: string }[]
  conversations: readonly ConversationPlan[]
  /** Ms of virtual time with faults. */
  durationMs: number
  /** Faults that are tried. Some find nothing to break. */
  faults: number
  /** The only kinds of them, where several bring out together what they hardly show among others. */
  together: readonly string[] | undefined
  /** Mean ms between two messages of one tab. */
  pace: number
  /** Chance that a message is one that the proxy in front of the server closes 1009 for. */
  poison: number
  /** Appends that the store takes at once. */
  parallel: number
  /** Ms that credentials last; 0 for ever. */
  expiry: number
  /** Ms between two pings of a server. */
  heartbeatMs: number
  /** Most ms that an app takes for one message. */
  thinking: number
  /** Who is of a later version, and says more than the other one knows. */
  newer: 'server' | 'client' | 'nobody'
  /** Servers over the one store. */
  servers: 1 | 2
  /** Whether a crash of the server takes the store with it, as with a file of its own. */
  embedded: boolean
  /** Whether little fits on the way to a reader, so that pushes are skipped. */
  narrow: boolean
}

export interface DevicePlan {
  host: string
  user: string
  tabs: number
  /** Most ms of a local transaction; with 0 it is done at once, as in the store that is shipped. */
  slowest: number
  locks: boolean
  /** Ms after which the device is switched on for the first time. */
  from: number
}

export interface ConversationPlan {
  id: string
  members: readonly [string, string]
  /** Ms after which the friendship is accepted; 0 for one that always was. */
  accepted: number
}

/** What the proxy in front of the server finds too big. */
export const POISON = 'POISON'

const NAMES = ['ann', 'ben', 'cyd']

export function makePlan(random: SeededRandom): Plan {
  const users = NAMES.slice(0, random.chance(0.75) ? 2 : 3)
  const durationMs = random.pick([2_000, 4_000, 8_000, 8_000, 15_000, 30_000, 90_000])
  const locks = random.chance(0.5)
  const devices: DevicePlan[] = []
  for (const user of users) {
    const count = random.chance(0.2) ? 2 : 1
    for (let index = 1; index <= count; index++)
      devices.push({
        host: `${user}-d${index}`,
        user,
        tabs: random.chance(0.35) ? 2 : 1,
        slowest: random.pick([0, 0, 3, 30]),
        locks,
        from: index === 1 ? random.integer(0, 300) : random.integer(0, durationMs >> 1),
      })
  }
  const legacy = users.filter(() => random.chance(0.18)).map((user) => ({ host: `${user}-old`, user }))
  const conversations: ConversationPlan[] = []
  for (const [index, one] of users.entries())
    for (const other of users.slice(index + 1)) {
      const accepted = random.chance(0.2) ? random.integer(500, durationMs >> 1) : 0
      conversations.push({ id: `${one}-${other}`, members: [one, other], accepted })
    }
  const plan: Plan = {
    users,
    devices,
    legacy,
    conversations,
    durationMs,
    faults: random.integer(3, 24),
    together: undefined,
    pace: (durationMs * devices.reduce((sum, { tabs }) => sum + tabs, legacy.length)) / random.pick([3, 6, 12, 24, 40]),
    poison: random.chance(0.1) ? 0.03 : 0,
    parallel: random.pick([1, 1, 4]),
    expiry: random.chance(0.15) ? random.pick([1_000, 5_000, 15_000]) : 0,
    heartbeatMs: random.pick([25_000, 25_000, 25_000, 5_000]),
    thinking: random.pick([0, 0, 0, 400]),
    newer: random.pick(['nobody', 'nobody', 'nobody', 'server', 'client']),
    embedded: random.chance(0.5),
    narrow: random.chance(0.25),
    servers: 1,
  }
  const theme = random.uint32() % 16
  // What a refusal means when two sockets of a device have the same message under way.
  if (theme === 0) {
    const crowded = devices.map((device) => ({ ...device, tabs: 2, locks: false }))
    return { ...plan, devices: crowded, faults: 24, together: ['block', 'stall', 'slow store'] }
  }
  // In which order a device sends again what it cannot know to be stored.
  if (theme === 1 || theme === 3) {
    const open = conversations.map((one) => ({ ...one, accepted: 0 }))
    const single = devices.filter(({ host }) => host.endsWith('1')).map((device) => ({ ...device, tabs: 1, from: 0 }))
    return {
      ...plan,
      conversations: open,
      devices: single,
      faults: 24,
      together: ['failing store', 'slow appends', 'retention', 'restore'],
    }
  }
  // How a device hears of a conversation that somebody opened on another server, which nobody told its own.
  if (theme === 2) {
    const late = conversations.map((one) => ({ ...one, accepted: random.integer(500, durationMs >> 1) }))
    return { ...plan, conversations: late, servers: 2, embedded: false, together: ['bus loss', 'bus mute'] }
  }
  // A store that belongs to the process of one server cannot be that of two.
  return random.chance(0.3) ? { ...plan, servers: 2, embedded: false } : plan
}
