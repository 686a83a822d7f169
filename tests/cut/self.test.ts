import { MemoryClientStore } from '@kithwire/client'
import type { Store } from '@kithwire/server'
import { describe, expect, it } from 'vitest'
import { openPlace, type PlaceOptions } from './place.js'
import type { Direction, Outcome } from './plan.js'
import { runOnce } from './run.js'
import { withAppend } from './slow-store.js'

/** Some cuts in the middle of a session, in a place where something is wrong. */
async function cutSome(direction: Direction, options: PlaceOptions = {}): Promise<Outcome[]> {
  const { place, close } = await openPlace(options)
  const bytes = Array.from({ length: 24 }, (_, index) => 900 + index * 190)
  const runs = bytes.map((byte, number) => runOnce(place, number, { direction, byte, mode: 'reset' }))
  const outcomes = await Promise.all(runs)
  await close()
  return outcomes
}

/** A server that tells a sender of another entry than the one that it stored. */
function lying(store: Store): Store {
  return withAppend(store, async (sends) => {
    const outcomes = await store.append(sends)
    return outcomes.map((outcome) => ({
      ...outcome,
      stored: outcome.stored.map((entry) =>
        entry.seq % 16 === 0 ? { ...entry, id: [...entry.id].reverse().join('') } : entry,
      ),
    }))
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

  it('notices a server that acknowledges what is not in the log', async () => {
    const outcomes = await cutSome('toClient', { wrap: lying, stuckMs: 1_000 })
    expect(outcomes.flatMap(({ violations }) => violations).join('\n')).toContain('I1')
  })

  it('notices a client that sends nothing again', async () => {
    const outcomes = await cutSome('toServer', { makeStore: () => new Careless(), stuckMs: 1_000 })
    expect(outcomes.filter(({ hang }) => hang !== undefined).length).toBeGreaterThan(0)
  })
})
