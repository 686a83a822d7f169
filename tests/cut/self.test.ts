import { MemoryClientStore } from '@kithwire/client'
import type { Store } from '@kithwire/server'
import { describe, expect, it } from 'vitest'
import { openPlace, type PlaceOptions } from './place.js'
import type { Direction, Outcome } from './plan.js'
import { runOnce } from './run.js'

/** Some cuts in the middle of a session, in a place where something is wrong. */
async function cutSome(direction: Direction, options: PlaceOptions = {}): Promise<Outcome[]> {
  const { place, close } = await openPlace(options)
  const bytes = Array.from({ length: 24 }, (_, index) => 900 + index * 190)
  const runs = bytes.map((byte, number) => runOnce(place, number, { direction, byte, mode: 'reset' }))
  const outcomes = await Promise.all(runs)
  await close()
  return outcomes
}

/** A log that does not know a cid again. */
function forgetful(store: Store): Store {
  let made = 0
  const append: Store['append'] = (sends) =>
    store.append(
      sends.map((send) => ({ ...send, items: send.items.map((item) => ({ ...item, cid: `${item.cid}-${made++}` })) })),
    )
  return new Proxy(store, {
    get: (target, name) => {
      const value = name === 'append' ? append : Reflect.get(target, name)
      return typeof value === 'function' ? value.bind(target) : value
    },
  })
}

/** A device that does not look into its outbox when it comes back. */
class Careless extends MemoryClientStore {
  override async waiting(): Promise<string[]> {
    return []
  }
}

describe('the test of cuts', () => {
  it('finds nothing where nothing is wrong', async () => {
    for (const { violations, hang } of await cutSome('toClient')) expect([violations, hang]).toEqual([[], undefined])
  })

  it('notices a server that stores a message twice', async () => {
    const outcomes = await cutSome('toClient', { wrap: forgetful, stuckMs: 1_000 })
    expect(outcomes.flatMap(({ violations }) => violations).join('\n')).toContain('I2')
  })

  it('notices a client that sends nothing again', async () => {
    const outcomes = await cutSome('toServer', { makeStore: () => new Careless(), stuckMs: 1_000 })
    expect(outcomes.filter(({ hang }) => hang !== undefined).length).toBeGreaterThan(0)
  })
})
