import { FakeClock, SeededRandom } from '@kithwire/protocol/testing'
import { describe, expect, it } from 'vitest'
import type { JournalRecord } from './disk.js'
import { Journal } from './journal.js'
import { JournalStore } from './journal-store.js'
import { Process } from './process.js'

const send = (content: string, cid = content) => ({
  conversation: 'ann-ben',
  from: 'ann',
  items: [{ cid, type: 'text', content }],
})

function world(seed = 1) {
  const clock = new FakeClock({ seed })
  const durable: JournalRecord[] = []
  const journal = new Journal(
    clock,
    new SeededRandom(seed),
    { durable: (record) => durable.push(record), misused: () => {} },
    [],
  )
  const process = new Process('server', clock, new SeededRandom(2), (_process, error) => {
    throw error
  })
  return { clock, journal, process, durable, store: new JournalStore(journal, process, 1) }
}

describe('the simulated store', () => {
  it('answers an append only when it is durable, and reads nothing before', async () => {
    const { clock, store, journal, durable } = world()
    journal.stall(5_000)
    let answered = false
    void store.append([send('one')]).then(() => {
      answered = true
    })
    await clock.advance(4_000)
    const early = store.read('ann-ben', { after: 0, limit: 10 })
    await clock.advance(100)
    expect(await early).toEqual([])
    expect([answered, durable.length]).toEqual([false, 0])
    await clock.advance(2_000)
    expect([answered, durable.length]).toEqual([true, 1])
  })

  it('keeps a prefix at a crash and rejects what was promised to nobody', async () => {
    const kept = new Set<number>()
    for (let seed = 1; seed <= 40; seed++) {
      const { clock, store, journal } = world(seed)
      journal.stall(5_000)
      const append = store.append(['a', 'b', 'c'].map((content) => send(content)))
      const outcome = append.then(
        () => 'stored',
        () => 'unknown',
      )
      await clock.advance(100)
      journal.crash()
      await clock.advance(10)
      expect(await outcome).toBe('unknown')
      const contents = journal.stable.log('ann-ben').map((entry) => entry.content)
      expect(['a', 'b', 'c'].slice(0, contents.length)).toEqual(contents)
      kept.add(contents.length)
    }
    expect(kept).toEqual(new Set([0, 1, 2, 3]))
  })

  it('answers a duplicate with the original, once that is durable', async () => {
    const { clock, store } = world()
    const both = Promise.all([store.append([send('one')]), store.append([send('one')])])
    await clock.advance(1_000)
    const [first, second] = await both
    expect(first[0]!.stored[0]).toMatchObject({ seq: 1, duplicate: false })
    expect(second[0]!.stored[0]).toMatchObject({ seq: 1, duplicate: true, id: first[0]!.stored[0]!.id })
  })

  it('refuses a cid with other content, and tries nothing behind it', async () => {
    const { clock, store } = world()
    const append = store.append([send('one', 'cid'), send('two', 'cid')])
    await clock.advance(1_000)
    expect((await append)[1]).toEqual({ stored: [], refused: { index: 0, code: 'cid_conflict' } })
  })

  it('never answers a dead process', async () => {
    const { clock, store, process } = world()
    let answered = false
    const done = () => {
      answered = true
    }
    store.append([send('one')]).then(done, done)
    process.kill()
    await clock.advance(1_000)
    expect(answered).toBe(false)
  })

  it('changes a friendship only for who saw its last version', async () => {
    const { clock, store } = world()
    const row = {
      id: 'ann-ben',
      user1: 'ann',
      user2: 'ben',
      state: 'accepted' as const,
      requester: 'ann',
      blockedBy: [],
      createdAt: 0,
      changedAt: 0,
      version: 1,
    }
    const puts = Promise.all([
      store.friendships.put(row, undefined),
      store.friendships.put({ ...row, version: 2 }, undefined),
    ])
    await clock.advance(1_000)
    expect((await puts).filter(Boolean)).toHaveLength(1)
  })
})
