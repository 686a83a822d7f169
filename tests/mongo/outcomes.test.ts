import { systemRuntime } from '@kithwire/protocol'
import { type MongoStore, mongo } from '@kithwire/server/mongo'
import mongoose, { type Connection } from 'mongoose'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { withMongod } from './bench.js'
import { readLog } from './log.js'

type Command = Record<string, unknown>

/** Clocks that are twenty times faster, for waits of many seconds. */
const hasty = {
  ...systemRuntime,
  monotonic: () => systemRuntime.monotonic() * 20,
  setTimer: (run: () => void, ms: number) => systemRuntime.setTimer(run, ms / 20),
}

const lost = () => Object.assign(new Error('connection closed'), { name: 'MongoNetworkError' })
const item = (cid: string) => ({ cid, type: 'text', content: `content of ${cid}` })
const send = (conversation: string, ...cids: string[]) => ({ conversation, from: 'ann', items: cids.map(item) })

withMongod('when it is not known what became of a command', 'replica set', ({ newUri }) => {
  let connection: Connection
  let store: MongoStore
  let inserts: number
  /** What happens to each insert; `run` sends it to the server. */
  let fate: (run: () => Promise<unknown>, nth: number) => Promise<unknown>

  beforeEach(async () => {
    connection = await mongoose.createConnection(newUri()).asPromise()
    const maker = mongo({ connection })
    await maker.ready()
    await maker.close()
    store = mongo({ connection, runtime: hasty })
    inserts = 0
    fate = (run) => run()
    const db = connection.db!
    const command = db.command.bind(db)
    const send = (one: Command, options?: Command) => command(one, options)
    db.command = ((one: Command, options?: Command) =>
      one.insert === 'messages' ? fate(() => send(one, options), ++inserts) : send(one, options)) as typeof db.command
  })
  afterEach(async () => {
    await store.close()
    await connection.dropDatabase()
    await connection.close()
  })

  const log = async (conversation: string) => (await readLog(store, conversation)).map(({ cid }) => cid)

  it('an answer that was lost makes no second entry, and none is called a duplicate', async () => {
    fate = async (run, nth) => {
      const answer = await run()
      if (nth === 1) throw lost()
      return answer
    }
    const [one, other] = await store.append([send('c', '1', '2'), send('d', '3')])
    expect(one!.stored.map(({ seq, duplicate }) => [seq, duplicate])).toEqual([
      [1, false],
      [2, false],
    ])
    expect(other!.stored).toMatchObject([{ seq: 1, duplicate: false }])
    expect([await log('c'), await log('d')]).toEqual([['1', '2'], ['3']])
  })

  it('a command that was lost is sent again', async () => {
    fate = async (run, nth) => {
      if (nth < 4) throw lost()
      return run()
    }
    expect((await store.append([send('c', '1')]))[0]!.stored).toMatchObject([{ seq: 1, duplicate: false }])
    expect(inserts).toBe(4)
  })

  it('an answer is lost while another process takes the next seq', async () => {
    const second = mongo({ connection })
    fate = async (run, nth) => {
      if (nth !== 1) return run()
      await second.append([send('c', 'other')])
      throw lost()
    }
    expect((await store.append([send('c', '1')]))[0]!.stored).toMatchObject([{ seq: 2 }])
    expect(await log('c')).toEqual(['other', '1'])
    await second.close()
  })

  it('nobody is acknowledged on doubt, and the next try is a duplicate', async () => {
    fate = async (run) => {
      await run()
      throw lost()
    }
    await expect(store.append([send('c', '1')])).rejects.toMatchObject({ code: 'store_unavailable', retry: true })
    fate = async () => {
      throw lost()
    }
    await expect(store.append([send('c', '1', '2')])).rejects.toMatchObject({ code: 'store_unavailable' })
    fate = (run) => run()
    const [again] = await store.append([send('c', '1', '2')])
    expect(again!.stored.map(({ seq, duplicate }) => [seq, duplicate])).toEqual([
      [1, true],
      [2, false],
    ])
  })

  it('a server that takes a command and is then silent is not waited for for ever', async () => {
    fate = (run, nth) => (nth === 1 ? new Promise(() => {}) : run())
    expect((await store.append([send('c', '1')]))[0]!.stored).toMatchObject([{ seq: 1 }])
  })

  it('what the server itself refuses is not tried again, and holds nobody else up', async () => {
    const validator = { content: { $ne: 'content of bad' } }
    await connection.db!.command({ collMod: 'messages', validator })
    await expect(store.append([send('c', '1', 'bad', '2')])).rejects.toMatchObject({ code: 'internal' })
    expect(inserts).toBe(1)
    const [outcome] = await store.append([send('c', '1', '2')])
    expect(outcome!.stored.map(({ seq, duplicate }) => [seq, duplicate])).toEqual([
      [1, true],
      [2, false],
    ])
  })

  it('a new primary may have the data of a backup: no gap is left above them', async () => {
    await store.append([send('c', '1', '2', '3')])
    await store.retain('c', 3)
    await connection.collection('messages').deleteMany({ seq: { $gt: 1 } })
    await connection.collection('kithwire_logs').deleteMany({})
    const newPrimary = { address: 'restored', type: 'RSPrimary', electionId: 'other', setVersion: 1 }
    const newDescription = { type: 'ReplicaSetWithPrimary', servers: new Map([['restored', newPrimary]]) }
    connection.getClient().emit('topologyDescriptionChanged', { newDescription } as never)
    expect((await store.append([send('c', '4')]))[0]!.stored).toMatchObject([{ seq: 2 }])
  })

  it('a duplicate in one conversation costs the others one more command', async () => {
    await store.append([send('a', '1'), send('b', '1'), send('c', '1'), send('d', '1')])
    inserts = 0
    const outcomes = await store.append([send('a', '2'), send('b', '1', '2'), send('c', '2'), send('d', '2')])
    expect(outcomes.map(({ stored }) => stored.map(({ seq }) => seq))).toEqual([[2], [1, 2], [2], [2]])
    expect(inserts).toBeLessThanOrEqual(5)
  })
})
