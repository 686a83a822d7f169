import type { SeededRandom } from '@kithwire/protocol/testing'
import { BUS_KINDS, KINDS } from './fault-kinds.js'
import type { Link } from './link.js'
import type { Members } from './members.js'
import type { Phase, World } from './world.js'

/** What is over so soon that chance alone seldom hits it. */
const SHORT_PHASES: readonly Phase[] = ['going back', 'catching up', 'draining', 'greeting', 'storing', 'pinging']

/** Ms of silence that no client may overlook: 2.2 heartbeats and the frames that were under way. */
const deafMs = (heartbeatMs: number) => 2.2 * heartbeatMs + 15_000

/** Breaks things at times that the seed chooses. A fault answers whether it found anything to break. */
export class Faults {
  blocking = false
  restoring = false
  /** Of the fault that happens now. */
  random: SeededRandom
  /** Faults that wait for something to be going on. */
  private readonly waiting: { phase: Phase; strike: () => void }[] = []
  private over = false

  constructor(
    readonly world: World,
    readonly members: Members,
    private readonly source: SeededRandom,
    private readonly without: ReadonlySet<number>,
  ) {
    this.random = source
  }

  schedule(): void {
    const { faults, durationMs, together } = this.world.plan
    // A run that sees few kinds of faults sees their combinations more often; after "Swarm Testing" by Groce et al. (2012).
    const all = this.world.bus ? [...KINDS, ...BUS_KINDS] : KINDS
    const share = this.source.pick([0.12, 0.3, 0.5])
    const kinds = all.filter(([name]) => together?.includes(name) ?? this.source.chance(share))
    for (let index = 0; index < faults; index++) {
      const [name, fault] = this.source.pick(kinds.length > 0 ? kinds : all)
      const at = this.source.integer(0, durationMs)
      const phase = this.source.chance(0.3) ? this.source.pick(SHORT_PHASES) : undefined
      if (this.without.has(index)) continue
      const strike = () => {
        // Numbers of its own, so that the others stay the same when this one is left out.
        this.random = this.source.fork(index)
        const { phases } = this.world
        if (fault(this)) this.world.hit(name, phases)
      }
      this.after(at, () => (phase === undefined ? strike() : this.waiting.push({ phase, strike })))
    }
  }

  /** Lets those faults strike that wait for what is going on now. To be called after each event. */
  look(): void {
    if (this.waiting.length === 0 || this.over) return
    const { phases } = this.world
    const due = this.waiting.findIndex(({ phase }) => phases.includes(phase))
    if (due >= 0) this.waiting.splice(due, 1)[0]!.strike()
  }

  /** Ends all faults: what is broken is reset, what is down is started, who is blocked is not any more. */
  stop(): void {
    this.over = true
    this.world.calm = true
    const { bus, network, journal, servers, devices, verdict, clock } = this.world
    const deaf = deafMs(this.world.plan.heartbeatMs)
    for (const { client, mute, id, protocol } of network.open())
      if (protocol !== '' && !client.leaving && !client.process.slept && mute < clock.monotonic() - deaf)
        verdict.fail('I8', `link${id} is silent since ${Math.round(mute)}, and its client has not noticed`)
    network.heal()
    journal.clear()
    bus?.heal()
    for (const server of servers) {
      server.run?.process.unpause()
      server.start()
    }
    for (const { tabs } of devices) {
      for (const tab of tabs) tab.run?.process.unpause()
      // Where one is open, not everybody opens the other again: who is left must do without it.
      const alone = tabs.every((tab) => !tab.run)
      for (const tab of tabs) if (alone || this.random.chance(0.5)) tab.open()
    }
    this.members.unblockAll()
  }

  /** Does something now, or while the store writes: what breaks between two messages breaks little. */
  writing(run: () => void): void {
    if (this.random.chance(0.5)) run()
    else this.world.journal.wrote = () => this.after(this.random.integer(0, 10), run)
  }

  link(): Link | undefined {
    const links = this.world.network.open()
    return links.length > 0 ? this.random.pick(links) : undefined
  }

  /** A number of ms, half of the time close to the least: what undoes a fault meets what is still under way. */
  soonOrLater(least: number, most: number): number {
    return this.random.integer(least, this.random.chance(0.5) ? Math.min(most, least + 1_000) : most)
  }

  /** Does something later, unless faults have stopped by then. */
  after(ms: number, run: () => void): void {
    this.world.clock.setTimer(() => {
      if (!this.over) run()
    }, ms)
  }
}
