import { systemRuntime } from '@kithwire/protocol'
import type { Bus } from '../bus.js'
import { type Case, check, type Runner, same, suite } from './conformance.js'

export interface BusConformanceOptions extends Runner {
  /** Of the bus, for the report. */
  name: string
  /** Starts what the ends of one case connect to; each case has its own. */
  start(): Promise<{ connect(): Promise<Bus>; stop?(): Promise<void> }>
  /** Ms within which a hint must come. @default 2000 */
  longestMs?: number
  /** Ms after which what must not come is taken for never coming. @default 20 */
  quietMs?: number
  /** The name of a case or of a group → why it does not apply to this bus. */
  skip?: { readonly [caseOrGroup: string]: string }
}

interface Bench {
  connect(): Promise<End>
  quiet(): Promise<void>
}

const sleep = (ms: number) => new Promise<void>((resolve) => systemRuntime.setTimer(resolve, ms))

/** One end, and what it has heard. */
class End {
  readonly heard: [user: string, text: string][] = []

  constructor(
    readonly bus: Bus,
    private readonly longestMs: number,
  ) {
    bus.listen({ hint: (user, text) => void this.heard.push([user, text]), state() {} })
  }

  async has(count: number): Promise<void> {
    const end = systemRuntime.monotonic() + this.longestMs
    while (this.heard.length < count) {
      check(systemRuntime.monotonic() < end, `Expected ${count} hints within ${this.longestMs} ms, came ${this.texts}.`)
      await sleep(1)
    }
  }

  get texts(): string[] {
    return this.heard.map(([, text]) => text)
  }
}

/** Ids that a careless adapter takes for patterns, for parts of a name, or for each other. */
const HARD_IDS = [
  'ann',
  'Ann',
  'ann ',
  'ann*',
  'a?n',
  '[an]nn',
  'ann.ben',
  'ann:ben',
  '>',
  '*',
  '#',
  '$SYS',
  '__proto__',
]
const UNICODE_IDS = ['\u00e9', 'e\u0301', '爱丽丝', '👩‍🚀', `${'x'.repeat(255)}y`, `${'x'.repeat(255)}z`]

const hints: Case<Bench>[] = [
  {
    group: 'hints',
    name: 'arrive at every end that has subscribed, from the moment that it is confirmed',
    async run({ connect }) {
      const [from, ...others] = [await connect(), await connect(), await connect()] as const
      for (let round = 1; round <= 20; round++) {
        const user = `user${round}`
        await Promise.all(others.map(({ bus }) => bus.subscribe(user)))
        from.bus.publish(user, `text ${round}`)
        for (const other of others) {
          await other.has(round)
          same(other.heard.at(-1), [user, `text ${round}`], 'the hint')
        }
      }
    },
  },
  {
    group: 'hints',
    name: 'arrive as they were, up to 256 KiB',
    async run({ connect }) {
      const [from, to] = [await connect(), await connect()]
      await to.bus.subscribe('ann')
      const texts = ['{"a":1}', 'a\nb\r\nc\u0000d "quoted" \\', 'é 爱 👩‍🚀 \u2028', 'x'.repeat(262_144)]
      for (const [index, text] of texts.entries()) {
        from.bus.publish('ann', text)
        await to.has(index + 1)
        check(to.texts[index] === text, `Expected the text number ${index + 1} as it was, came another one.`)
      }
    },
  },
  {
    group: 'hints',
    name: 'arrive only at who subscribed to exactly this user',
    async run({ connect, quiet }) {
      const [from, to] = [await connect(), await connect()]
      const ids = [...HARD_IDS, ...UNICODE_IDS]
      for (const [index, id] of ids.entries()) {
        await to.bus.subscribe(id)
        for (const other of ids) from.bus.publish(other, other)
        await to.has(index + 1)
        await quiet()
        to.bus.unsubscribe(id)
        same(to.heard.slice(index), [[id, id]], `of all users' hints, those of '${id}'`)
      }
    },
  },
  {
    group: 'hints',
    name: 'are not handed over before publish has returned',
    async run({ connect }) {
      const [from, to] = [await connect(), await connect()]
      await Promise.all([from.bus.subscribe('ann'), to.bus.subscribe('ann')])
      from.bus.publish('ann', 'text')
      same([from.texts, to.texts], [[], []], 'what was heard when publish returned')
      await to.has(1)
    },
  },
  {
    group: 'hints',
    name: 'for nobody, and after the listener has gone, are lost without an error',
    async run({ connect, quiet }) {
      const [from, to] = [await connect(), await connect()]
      from.bus.publish('nobody', 'text')
      await to.bus.subscribe('ann')
      to.bus.listen(undefined)
      from.bus.publish('ann', 'text')
      to.bus.publish('ann', 'text')
      await quiet()
      same(to.heard, [], 'what is heard')
    },
  },
]

const subscriptions: Case<Bench>[] = [
  {
    group: 'subscriptions',
    name: 'show nothing that was published before them',
    async run({ connect, quiet }) {
      const [from, to] = [await connect(), await connect()]
      for (let round = 0; round < 5; round++) {
        const user = `user${round}`
        from.bus.publish(user, 'before')
        // On its way to nobody: what is still there when somebody comes is a replay.
        await quiet()
        await to.bus.subscribe(user)
        await quiet()
      }
      same(to.heard, [], 'what is heard of what was published before')
    },
  },
  {
    group: 'subscriptions',
    name: 'end at once, alone, and can begin anew',
    async run({ connect, quiet }) {
      const [from, to, other] = [await connect(), await connect(), await connect()]
      await Promise.all([to.bus.subscribe('ann'), to.bus.subscribe('ben'), other.bus.subscribe('ann')])
      from.bus.publish('ann', 'on its way')
      to.bus.unsubscribe('ann')
      from.bus.publish('ann', 'ended')
      from.bus.publish('ben', 'for ben')
      await Promise.all([to.has(1), other.has(2)])
      await quiet()
      same(to.texts, ['for ben'], 'what comes when one has ended')
      await to.bus.subscribe('ann')
      from.bus.publish('ann', 'again')
      await to.has(2)
      same(to.texts, ['for ben', 'again'], 'what comes when it has begun anew')
    },
  },
  {
    group: 'subscriptions',
    name: 'that are asked for twice are one',
    async run({ connect, quiet }) {
      const [from, to] = [await connect(), await connect()]
      await Promise.all([to.bus.subscribe('ann'), to.bus.subscribe('ann')])
      from.bus.publish('ann', 'text')
      await to.has(1)
      await quiet()
      same(to.texts, ['text'], 'what comes')
      to.bus.unsubscribe('ann')
      to.bus.unsubscribe('ann')
      from.bus.publish('ann', 'ended')
      await quiet()
      same(to.texts, ['text'], 'what comes when it has ended')
    },
  },
  {
    group: 'state',
    name: 'is up once it is connected',
    async run({ connect }) {
      same((await connect()).bus.up, true, 'up')
    },
  },
]

/**
 * Checks that a bus keeps the invariants that `Bus` lists, on a bus that works. Works with every test runner that has
 * `describe` and `it`. What it cannot check is what happens when the bus breaks: kill it under load, and look whether
 * `state` says so, and whether all subscriptions are there when it says that it is back.
 */
export function busConformance(options: BusConformanceOptions): void {
  const { describe, it, name, start, longestMs = 2_000, quietMs = 20, skip } = options
  const prepare = () => {
    const ends: Bus[] = []
    let started: ReturnType<typeof start> | undefined
    const connect = async () => {
      started ??= start()
      const bus = await (await started).connect()
      ends.push(bus)
      return new End(bus, longestMs)
    }
    const cleanUp = async () => {
      for (const bus of ends) bus.listen(undefined)
      await (await started)?.stop?.()
    }
    return { bench: { connect, quiet: () => sleep(quietMs) }, cleanUp }
  }
  suite({ describe, it, name, cases: [...hints, ...subscriptions], prepare, ...(skip && { skip }) })
}
