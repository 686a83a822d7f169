import type { SeededRandom } from '@kithwire/protocol/testing'
import { POISON } from './plan.js'
import type { World } from './world.js'

const LONG = 'lorem ipsum dolor sit amet '.repeat(200)

/** People who write to each other, read, and look back, until faults stop. */
export class Workload {
  /** What people have done so far. */
  count = 0
  private over = false
  /** Of what is done now. */
  private random: SeededRandom

  constructor(
    private readonly world: World,
    private readonly source: SeededRandom,
    private readonly without: ReadonlySet<number>,
  ) {
    this.random = source
  }

  start(): void {
    for (const tab of this.world.tabs) this.write(() => this.sendFrom(tab))
    for (const old of this.world.legacy)
      this.write(() => {
        const target = this.conversation(old.user)
        const to = target?.members.find((member) => member !== old.user)
        if (target && to) old.client.send(target.id, to, this.content(old.process.name).replace(POISON, ''))
      })
  }

  stop(): void {
    this.over = true
  }

  private write(act: () => void): void {
    const { clock, plan } = this.world
    // Exponential gaps, so that there are both bursts and silences.
    const gap = -Math.log(1 - this.source.next()) * plan.pace
    clock.setTimer(() => {
      if (this.over) return
      const burst = this.source.chance(0.06) ? this.source.integer(2, 12) : 1
      for (let index = 0; index < burst; index++) {
        const number = ++this.count
        // Numbers of its own, so that everything else stays the same when this is left out.
        this.random = this.source.fork(number)
        if (!this.without.has(number)) act()
      }
      this.write(act)
    }, gap)
  }

  private sendFrom(tab: World['tabs'][number]): void {
    const target = this.conversation(tab.device.user)
    if (!target || !tab.run) return
    if (this.random.chance(0.75)) tab.send(target.id, this.content(tab.name))
    else tab.look(target.id, this.random)
  }

  private conversation(user: string) {
    const own = this.world.plan.conversations.filter(({ members }) => members.includes(user))
    // Before a friendship is accepted people write now and then all the same: they are refused.
    const open = own.filter(({ id }) => !this.world.wire.closed.has(id) || this.random.chance(0.2))
    return open.length > 0 ? this.random.pick(open) : undefined
  }

  private content(name: string): string {
    const content = `${name}#${this.count}`
    if (this.random.chance(this.world.plan.poison)) return `${content} ${POISON}`
    return this.random.chance(0.03) ? `${content} ${LONG.slice(0, this.random.integer(1, LONG.length))}` : content
  }
}
