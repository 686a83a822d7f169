import { SeededRandom } from '@kithwire/protocol/testing'
import mongoose, { type mongo } from 'mongoose'

const { MongoClient, ObjectId } = mongoose.mongo
export type Client = mongo.MongoClient
export type Collection = mongo.Collection

// Several versions of mongoose are installed for other tests, and their types get in each other's way.
export const connect = (uri: string) => new MongoClient(uri).connect() as unknown as Promise<Client>

const hex = (random: SeededRandom, bytes: number) => Buffer.from(random.bytes(bytes)).toString('hex')

/** An id whose time is `seconds` since 1970. */
const idAt = (seconds: number, random: SeededRandom) =>
  new ObjectId(seconds.toString(16).padStart(8, '0') + hex(random, 8))

/**
 * Rows as an app of the article's kind has them after some years: of conversations of very different sizes, in any
 * order, a third of before it wrote times, many at the same time.
 */
export async function writeOldRows(rows: Collection, count: number, conversations: number): Promise<void> {
  const random = new SeededRandom(1)
  const friends = Array.from({ length: conversations }, () => new ObjectId(hex(random, 12)))
  const start = 1_570_000_000
  let batch: object[] = []
  for (let index = 0; index < count; index++) {
    const seconds = start + random.integer(0, count)
    const from = random.pick(['ann', 'ben'])
    batch.push({
      _id: idAt(seconds, random),
      friend: friends[Math.floor(random.next() ** 3 * conversations)],
      from,
      to: from === 'ann' ? 'ben' : 'ann',
      content: `row ${index} 你好`,
      ...(random.chance(0.9) ? { type: random.pick(['text', 'emoji', 'file']) } : {}),
      ...(seconds > start + count / 3 ? { createdAt: new Date(seconds * 1_000 + random.integer(0, 9) * 100) } : {}),
    })
    if (batch.length < 10_000 && index < count - 1) continue
    await rows.insertMany(batch)
    batch = []
  }
}

interface Row {
  _id: { toHexString(): string; getTimestamp(): Date }
  friend: unknown
  createdAt?: Date
  seq?: number
  cid?: string
}

const timeOf = ({ _id, createdAt }: Row) => (createdAt ?? _id.getTimestamp()).getTime()

/** What every row must be given, worked out from what is there before: `_id` to `seq cid time`. */
export async function expectedOf(rows: Collection): Promise<Map<string, string>> {
  const logs = new Map<string, Row[]>()
  for await (const row of rows.find({}, { projection: { friend: 1, createdAt: 1 } }) as AsyncIterable<Row>) {
    const key = String(row.friend)
    const log = logs.get(key)
    if (log) log.push(row)
    else logs.set(key, [row])
  }
  const expected = new Map<string, string>()
  for (const log of logs.values()) {
    log.sort((a, b) => timeOf(a) - timeOf(b) || (a._id.toHexString() < b._id.toHexString() ? -1 : 1))
    for (const [index, row] of log.entries())
      expected.set(row._id.toHexString(), `${index + 1} ${row._id.toHexString()} ${timeOf(row)}`)
  }
  return expected
}

/** The same as it is now. */
export async function foundOf(rows: Collection): Promise<Map<string, string>> {
  const found = new Map<string, string>()
  const projection = { seq: 1, cid: 1, createdAt: 1 }
  for await (const { _id, seq, cid, createdAt } of rows.find({}, { projection }) as AsyncIterable<Row>)
    found.set(_id.toHexString(), `${seq} ${cid} ${createdAt?.getTime()}`)
  return found
}

/** Conversations whose numbered rows are not 1, 2, 3 …: there is no instant at which there may be any. */
export function gapsOf(rows: Collection): Promise<unknown[]> {
  return rows
    .aggregate(
      [
        { $match: { seq: { $gt: 0 } } },
        { $group: { _id: '$friend', first: { $min: '$seq' }, head: { $max: '$seq' }, count: { $sum: 1 } } },
        { $match: { $expr: { $or: [{ $ne: ['$first', 1] }, { $ne: ['$head', '$count'] }] } } },
      ],
      // Of one moment: what a killed process had sent is still being done, and a scan passes it by in the middle.
      { readConcern: { level: 'snapshot' } },
    )
    .toArray()
}

/** Documents that this server has updated since its start: asking costs it nothing, however often. */
export async function updatesOf(client: Client): Promise<number> {
  const { metrics } = await client.db('admin').command({ serverStatus: 1 })
  return Number(metrics.document.updated)
}

export const numberedOf = (rows: Collection): Promise<number> =>
  rows.countDocuments({ seq: { $gt: 0 } }, { hint: 'friend_1_seq_1' }).catch(() => 0)
