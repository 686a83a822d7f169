import { systemRuntime } from '@kithwire/protocol'
import type { Bus, BusListener } from '../bus.js'
import { LocalBus } from '../buses/local.js'

/** An end that does as another one does, for broken ones to differ from in one point. */
class Through implements Bus {
  readonly up: boolean = true
  protected listener: BusListener | undefined

  constructor(protected readonly bus: Bus) {}

  listen(listener: BusListener | undefined): void {
    this.listener = listener
    this.bus.listen(listener && { hint: (user, text) => this.take(user, text), state: (up) => listener.state(up) })
  }
  publish(user: string, text: string): void {
    this.bus.publish(user, text)
  }
  subscribe(user: string): Promise<void> {
    return this.bus.subscribe(user)
  }
  unsubscribe(user: string): void {
    this.bus.unsubscribe(user)
  }
  protected take(user: string, text: string): void {
    this.listener?.hint(user, text)
  }
}

class ConfirmsTooEarly extends Through {
  override async subscribe(user: string): Promise<void> {
    systemRuntime.setTimer(() => void this.bus.subscribe(user), 10)
  }
}

class IgnoresCase extends Through {
  override publish(user: string, text: string): void {
    this.bus.publish(user.toLowerCase(), text)
  }
  override subscribe(user: string): Promise<void> {
    this.#asked.set(user.toLowerCase(), user)
    return this.bus.subscribe(user.toLowerCase())
  }
  override unsubscribe(user: string): void {
    this.bus.unsubscribe(user.toLowerCase())
  }
  protected override take(user: string, text: string): void {
    super.take(this.#asked.get(user) ?? user, text)
  }
  readonly #asked = new Map<string, string>()
}

class CutsLongTexts extends Through {
  override publish(user: string, text: string): void {
    this.bus.publish(user, text.slice(0, 65_536))
  }
}

class StopsAtNul extends Through {
  override publish(user: string, text: string): void {
    this.bus.publish(user, text.split('\u0000')[0]!)
  }
}

class DeliversWithinPublish extends Through {
  override publish(user: string, text: string): void {
    this.take(user, text)
    this.bus.publish(user, text)
  }
}

class ReplaysTheLast extends Through {
  override publish(user: string, text: string): void {
    LAST.set(user, text)
    this.bus.publish(user, text)
  }
  override async subscribe(user: string): Promise<void> {
    await this.bus.subscribe(user)
    const last = LAST.get(user)
    if (last !== undefined) this.take(user, last)
  }
}
const LAST = new Map<string, string>()

class GoesOnAfterTheEnd extends Through {
  override unsubscribe(): void {}
}

class SubscribesTwice extends Through {
  override subscribe(user: string): Promise<void> {
    this.#times.set(user, (this.#times.get(user) ?? 0) + 1)
    return this.bus.subscribe(user)
  }
  override unsubscribe(user: string): void {
    this.#times.delete(user)
    this.bus.unsubscribe(user)
  }
  protected override take(user: string, text: string): void {
    for (let time = this.#times.get(user) ?? 0; time > 0; time--) super.take(user, text)
  }
  readonly #times = new Map<string, number>()
}

class IsNeverUp extends Through {
  override readonly up = false
}

/** A bus with one fault, and the case of the suite that is made to find it: the check of the checker. */
export const brokenBuses: readonly { open: new (bus: Bus) => Bus; caught: string }[] = [
  { open: ConfirmsTooEarly, caught: 'arrive at every end that has subscribed, from the moment that it is confirmed' },
  { open: IgnoresCase, caught: 'arrive only at who subscribed to exactly this user' },
  { open: CutsLongTexts, caught: 'arrive as they were, up to 256 KiB' },
  { open: StopsAtNul, caught: 'arrive as they were, up to 256 KiB' },
  { open: DeliversWithinPublish, caught: 'are not handed over before publish has returned' },
  { open: ReplaysTheLast, caught: 'show nothing that was published before them' },
  { open: GoesOnAfterTheEnd, caught: 'end at once, alone, and can begin anew' },
  { open: SubscribesTwice, caught: 'that are asked for twice are one' },
  { open: IsNeverUp, caught: 'is up once it is connected' },
]

/** A whole bus of which every end has the fault. */
export function brokenBus(open: new (bus: Bus) => Bus): { connect(): Promise<Bus> } {
  const local = new LocalBus()
  return { connect: async () => new open(local.connect()) }
}
