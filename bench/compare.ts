import { join } from 'node:path'
import { findMongod, MONGOD, MongoSet } from '../tests/support/mongod.js'
import { machineOf, measureSync } from './machine.js'
import type { Options } from './options.js'
import { profileText } from './report/profile.js'
import { type Results, sumOfFaults, type WorkloadResult } from './report/results.js'
import { aligned, changes, tableOf } from './report/table.js'
import type { Surroundings } from './run/bout.js'

/** Runs what was asked for, the peers in turns, and tells what it finds as it goes. */
export async function compare(
  { workloads, peers: all, runs, smoke, profile }: Options,
  { root, data, commit }: { root: string; data: string; commit: string },
): Promise<Results> {
  const binary = all.some(({ needsMongo }) => needsMongo) ? findMongod() : undefined
  const peers = all.filter(({ needsMongo }) => binary || !needsMongo)
  if (peers.length < all.length) console.log(`Left out, for want of ${MONGOD}: the peers that need it.\n`)
  const mongo = binary ? await MongoSet.start(binary) : undefined
  const profiles = profile ? join(data, 'profiles') : undefined
  const surroundings: Surroundings = { root, data, mongo, profiles }
  const date = new Date().toISOString().slice(0, 10)
  const results: Results = { date, commit, machine: machineOf(), syncMs: measureSync(data), smoke, workloads: [] }
  try {
    for (const workload of workloads) {
      const { id, title, figures } = workload
      const taking = peers.filter((peer) => workload.applies(peer))
      const result: WorkloadResult = {
        ...{ id, title, figures },
        peers: taking.map((peer) => ({ id: peer.id, title: peer.title, kithwire: peer.kithwire, runs: [] })),
      }
      for (let round = 0; round < runs; round++)
        for (const [index, peer] of taking.entries()) {
          process.stderr.write(`\r\x1b[K${title}: round ${round + 1} of ${runs}, ${peer.id}`)
          result.peers[index]!.runs.push(await workload.run(peer, surroundings))
          if (profiles) process.stderr.write(`\r\x1b[K${profileText(profiles)}\n\n`)
        }
      process.stderr.write('\r\x1b[K')
      if (taking.length === 0) continue
      console.log([title, aligned(tableOf(result)), ...changes(result), ''].join('\n'))
      results.workloads.push(result)
    }
  } finally {
    await mongo?.remove()
  }
  return results
}

/** What Kithwire promised and did not keep. */
export function violations({ workloads }: Results): string[] {
  return workloads.flatMap(({ title, peers }) =>
    peers
      .filter(({ kithwire, runs }) => kithwire && runs.some((run) => sumOfFaults(run) > 0))
      .map((peer) => `${title}, ${peer.title}: ${JSON.stringify(peer.runs.map(({ exactness }) => exactness))}`),
  )
}
