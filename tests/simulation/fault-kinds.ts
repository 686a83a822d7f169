import { type BusWeather, FAIR_BUS } from './bus.js'
import type { Faults } from './faults.js'
import { FAIR } from './journal.js'
import type { Link } from './link.js'
import type { World } from './world.js'

/** Breaks something, and answers whether it found anything to break. */
type Fault = (faults: Faults) => boolean

const HOUR = 3_600_000

const onLink =
  (act: (link: Link, faults: Faults) => void): Fault =>
  (faults) => {
    const link = faults.link()
    if (link) act(link, faults)
    return link !== undefined
  }

const direction = ({ random }: Faults) => random.pick(['up', 'down'] as const)

const clientCrash =
  (power: boolean): Fault =>
  (faults) => {
    const open = faults.world.tabs.filter((tab) => tab.run)
    if (open.length === 0) return false
    const tab = faults.random.pick(open)
    const { storage, slowest } = tab.device
    const crash = () => {
      tab.kill(power)
      faults.after(faults.random.pick([20, 500, 3_000, 12_000]), () => tab.open())
    }
    // Half of them while the device writes.
    if (faults.random.chance(0.5)) crash()
    else storage.began = () => faults.after(faults.random.integer(0, slowest), crash)
    return true
  }

const weather =
  (change: Partial<typeof FAIR>, longest: number): Fault =>
  (faults) => {
    const { journal } = faults.world
    Object.assign(journal.weather, change)
    faults.after(faults.random.integer(200, longest), () => Object.assign(journal.weather, { ...FAIR }))
    return true
  }

const processes = ({ servers, tabs }: World) =>
  [...servers, ...tabs].map(({ run }) => run?.process).filter((process) => process !== undefined)

const onBus =
  (change: Partial<BusWeather>): Fault =>
  (faults) => {
    const { bus } = faults.world
    if (!bus) return false
    Object.assign(bus.weather, change)
    faults.after(faults.random.integer(500, 20_000), () => Object.assign(bus.weather, { ...FAIR_BUS }))
    return true
  }

/** Only where there is a bus. */
export const BUS_KINDS: readonly (readonly [string, Fault])[] = [
  ['bus loss', onBus({ loss: 0.4 })],
  ['bus doubling', onBus({ doubling: 0.5 })],
  ['bus delay', onBus({ lag: 3_000 })],
  [
    'bus mute',
    (faults) => {
      const { bus } = faults.world
      if (!bus || bus.mute) return false
      bus.mute = true
      faults.after(faults.random.integer(1_000, 120_000), () => {
        bus.mute = false
      })
      return true
    },
  ],
  [
    'bus crash',
    (faults) => {
      const { bus } = faults.world
      if (!bus?.up) return false
      bus.crash()
      faults.after(faults.random.integer(100, 15_000), () => bus.restart())
      return true
    },
  ],
]

export const KINDS: readonly (readonly [string, Fault])[] = [
  ['drop', onLink((link, { random }) => link.break(random.integer(0, 3)))],
  ['cut mid-frame', onLink((link, faults) => link.cutNext(direction(faults)))],
  ['half-open', onLink((link, faults) => link.silence(faults.random.chance(0.4) ? 'both' : direction(faults)))],
  [
    'delay',
    onLink((link, faults) => {
      const pipe = link.pipe(direction(faults))
      pipe.lag = faults.random.integer(100, 3_000)
      // A round trip may take longer than a server with a short heartbeat waits.
      if (faults.world.plan.heartbeatMs < 2 * 3_000 + 2_000) link.troubled = true
      faults.after(faults.random.integer(500, 10_000), () => {
        pipe.lag = 0
      })
    }),
  ],
  ['stall', onLink((link, faults) => link.pipe(direction(faults)).stall(faults.random.integer(500, 20_000)))],
  [
    'offline',
    (faults) => {
      const { host } = faults.random.pick(faults.world.devices)
      faults.world.network.unplug(host)
      faults.after(faults.random.integer(500, 30_000), () => faults.world.network.plug(host))
      return true
    },
  ],
  ['client crash', clientCrash(false)],
  ['client power cut', clientCrash(true)],
  [
    'tab closed',
    (faults) => {
      const open = faults.world.tabs.filter((tab) => tab.run)
      if (open.length === 0) return false
      const tab = faults.random.pick(open)
      void tab.close().then(() => {
        // It was the only one that was still open when the faults stopped.
        if (faults.world.calm && tab.device.tabs.every(({ run }) => !run)) tab.open()
        else faults.after(faults.random.integer(0, 5_000), () => tab.open())
      })
      return true
    },
  ],
  [
    'server crash',
    (faults) => {
      const server = faults.world.server(faults.random)
      if (!server.run) return false
      faults.writing(() => {
        server.kill()
        faults.after(faults.random.pick([10, 300, 2_000, 10_000]), () => server.start())
      })
      return true
    },
  ],
  [
    'server restart',
    (faults) => {
      const server = faults.world.server(faults.random)
      if (!server.run) return false
      server.stop()
      faults.after(faults.random.pick([100, 1_000, 6_000]), () => server.start())
      return true
    },
  ],
  [
    'store crash',
    (faults) => {
      faults.writing(() => faults.world.journal.crash())
      return true
    },
  ],
  ['slow store', weather({ latency: [20, 900] }, 10_000)],
  ['slow appends', weather({ append: [300, 4_500] }, 10_000)],
  ['failing store', weather({ failing: 0.4 }, 6_000)],
  ['disk full', weather({ full: 0.5 }, 6_000)],
  [
    'sync stall',
    (faults) => {
      faults.world.journal.stall(faults.random.integer(500, 12_000))
      return true
    },
  ],
  [
    'block',
    (faults) => {
      const conversation = faults.random.pick(faults.world.plan.conversations)
      if (faults.restoring || !faults.members.block(conversation)) return false
      faults.blocking = true
      faults.after(faults.soonOrLater(20, 15_000), () => faults.members.unblock(conversation.id))
      return true
    },
  ],
  [
    'retention',
    (faults) => {
      const { journal, plan } = faults.world
      const { id } = faults.random.pick(plan.conversations)
      const { length } = journal.stable.log(id)
      // Half of them take what is not known to its sender yet.
      const first = faults.random.chance(0.5)
        ? faults.random.integer(1, length + 1)
        : Math.max(1, length + 1 - faults.random.integer(0, 4))
      if (first <= journal.written.first(id)) return false
      journal.write({ kind: 'retain', conversation: id, first })
      return true
    },
  ],
  [
    'restore',
    (faults) => {
      const { journal, plan } = faults.world
      // A block may refuse for good what has to be sent again: a known limit, and no error.
      if (faults.blocking || plan.conversations.some(({ accepted }) => accepted > 0)) return false
      const backup = journal.stable.clone()
      faults.restoring = true
      faults.after(faults.soonOrLater(100, 8_000), () => faults.world.restore(backup))
      return true
    },
  ],
  [
    'clock jump',
    (faults) => {
      const alive = processes(faults.world)
      if (alive.length === 0) return false
      faults.random.pick(alive).jump(faults.random.integer(-HOUR, HOUR))
      return true
    },
  ],
  [
    'pause',
    (faults) => {
      const { network, servers } = faults.world
      // Who waits for a pong is who may draw the wrong conclusion.
      const waiting = servers.flatMap(({ run }) => (run && network.pinging > 0 ? [run.process] : []))
      const alive = waiting.length > 0 ? waiting : processes(faults.world)
      if (alive.length === 0) return false
      faults.random.pick(alive).pause(faults.random.pick([300, 4_000, 25_000, 45_000]))
      return true
    },
  ],
]
