import { systemRuntime } from '@kithwire/protocol'
import { defineCommand } from 'citty'
import pc from 'picocolors'
import { EXIT, mongoUrl, namesOf, refuseUnknown, UsageError, wholeNumber } from '../command.js'
import { type Client, type Collection, connect } from '../mongo-driver.js'
import { Progress } from '../progress.js'
import { migrate as run } from './migrate.js'
import type { Rows } from './rows.js'
import { startMarks } from './start-marks.js'
import { type Survey, survey } from './survey.js'
import { verify } from './verify.js'

const args = {
  mongo: { type: 'string', description: 'address with the name of the database; or the variable MONGO_URL' },
  collection: { type: 'string', default: 'messages', description: 'the collection of the messages' },
  fields: { type: 'string', description: 'names that differ, such as conversation=chat,from=sender' },
  batch: { type: 'string', default: '1000', description: 'rows in one step, 1 to 10,000' },
  'dry-run': { type: 'boolean', description: 'count, and change nothing' },
  verify: { type: 'boolean', description: 'check only, and change nothing' },
  standalone: { type: 'boolean', description: 'allow a server that is no replica set; slower' },
} as const

const n = (value: number): string => value.toLocaleString('en-US')

/** `kithwire migrate` */
export const migrate = defineCommand({
  meta: { name: 'migrate', description: 'Gives the messages of an existing MongoDB app their places' },
  args,
  async run({ args: given }) {
    refuseUnknown(given, args)
    const url = mongoUrl(given.mongo)
    if (url === undefined) throw new UsageError('Expected --mongo mongodb://127.0.0.1:27017/app, or MONGO_URL.')
    if (given['dry-run'] && given.verify) throw new UsageError('Expected one of --dry-run and --verify.')
    const batch = wholeNumber('batch', given.batch, 1, 10_000)
    const names = namesOf(given.fields)
    const client = await connect(url)
    try {
      const rows: Rows = { collection: client.db().collection(given.collection), names }
      if (given.verify) await check(rows)
      else {
        const found = await survey(client, rows)
        tell(rows, found)
        if (!given['dry-run'] && (await number(client, rows, found, batch, given.standalone === true)))
          await finish(rows, client.db().collection('kithwire_marks'))
      }
    } finally {
      await client.close()
    }
  },
})

function tell({ collection }: Rows, found: Survey): void {
  console.log(`${collection.collectionName}: ${n(found.rows)} rows, of which ${n(found.numbered)} have a number.`)
  if (found.todo > 0) console.log(`${n(found.todo)} rows of ${n(found.conversations)} conversations get one.`)
  if (found.untimed > 0) console.log(`${n(found.untimed)} of them have no time and get that of their _id.`)
  if (found.overtaken > 0)
    warn(
      `${n(found.overtaken)} conversations have newer rows with a number; what is older will stand behind them, since a number never changes.`,
    )
  if (found.unusable > 0)
    warn(
      `${n(found.unusable)} rows lack an _id, a conversation, a sender or a type that clients can read, and are left as they are.`,
    )
  if (found.topology === 'standalone') warn('This MongoDB is no replica set.')
}

/** False if it was interrupted. */
async function number(client: Client, rows: Rows, found: Survey, batch: number, standalone: boolean): Promise<boolean> {
  let stopped = false
  const stop = () => {
    stopped = true
  }
  process.once('SIGINT', stop).once('SIGTERM', stop)
  const progress = new Progress(found.todo > 0 ? process.stdout : silent, systemRuntime, 'numbering', found.todo)
  const isStopped = () => stopped
  const seen = (amount: number) => progress.add(amount)
  const numbered = await run({ client, rows, runtime: systemRuntime, batch, standalone, isStopped, seen }, found)
  progress.end()
  process.removeListener('SIGINT', stop).removeListener('SIGTERM', stop)
  console.log(`${n(numbered)} rows have got a number.`)
  if (!stopped) return true
  console.log('Stopped. Run the same again to go on.')
  process.exitCode = EXIT.interrupted
  return false
}

async function finish(rows: Rows, marks: Collection): Promise<void> {
  const conversations = await startMarks(rows, marks)
  if (conversations > 0) console.log(`${n(conversations)} conversations begin as read, since nobody has a mark there.`)
  await check(rows)
}

async function check(rows: Rows): Promise<void> {
  const progress = new Progress(
    process.stdout,
    systemRuntime,
    'checking ',
    await rows.collection.estimatedDocumentCount(),
  )
  const found = await verify(rows, (amount) => progress.add(amount))
  progress.end()
  if (found.late > 0)
    warn(`${n(found.late)} rows stand behind younger ones, since they came after those were numbered.`)
  for (const problem of found.problems) console.log(pc.red(`✗ ${problem}`))
  if (found.problems.length > 0) process.exitCode = EXIT.todo
  else console.log(pc.green(`✓ ${n(found.rows)} rows of ${n(found.conversations)} conversations are in order.`))
}

const silent = { write() {} }
const warn = (text: string) => console.log(pc.yellow(`! ${text}`))
