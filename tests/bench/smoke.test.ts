import { execFile } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { beforeAll, describe, expect, it } from 'vitest'
import { bundleBench } from '../../bench/bundle.mjs'
import { PEERS } from '../../bench/peers.js'
import type { Results } from '../../bench/report/results.js'
import { smokeWorkloads } from '../../bench/workloads/all.js'
import { root } from '../packaging/packages.js'
import { findMongod, MONGOD } from '../support/mongod.js'
import { need } from '../support/need.js'

/** Not `runTool`, which would hold up vitest itself for as long as this takes. */
function run(entry: string, ...args: string[]): Promise<{ status: number; stdout: string; stderr: string }> {
  return new Promise((resolve) => {
    execFile(process.execPath, [`bench/dist/${entry}.mjs`, ...args], { cwd: root }, (error, stdout, stderr) =>
      resolve({ status: Number(error?.code ?? 0), stdout, stderr }),
    )
  })
}

describe('npm run bench', () => {
  beforeAll(bundleBench)

  it('runs every workload on every peer, and finds Kithwire exact', { timeout: 300_000 }, async (context) => {
    need(context, findMongod(), MONGOD)
    const { status, stdout, stderr } = await run('main', '--smoke')
    expect(stderr).not.toContain('Not exact')
    expect(status, stdout + stderr).toBe(0)
    const { workloads }: Results = JSON.parse(readFileSync(stdout.trim().split('\n').at(-1)!, 'utf8'))
    expect(workloads.map(({ id }) => id)).toEqual(smokeWorkloads().map(({ id }) => id))
    const taking = smokeWorkloads().map((workload) =>
      PEERS.filter((peer) => workload.applies(peer)).map(({ id }) => id),
    )
    expect(workloads.map(({ peers }) => peers.map(({ id }) => id))).toEqual(taking)
    for (const { peers, figures, id: workload } of workloads)
      for (const { id, runs } of peers) {
        const known = figures.filter(({ name }) => Number.isFinite(runs[0]?.figures[name]))
        expect(known.length, `${id} in ${workload}`).toBeGreaterThan(0)
      }
  })

  it('measures how costs grow', { timeout: 120_000 }, async () => {
    const { status, stdout, stderr } = await run('growth', '--growth', '--to', '1000', '--friends', '10')
    expect(status, stdout + stderr).toBe(0)
    expect(stdout).toMatch(/^1,000 .*\(1\.00×\)/m)
    expect(stdout).toMatch(/^10 /m)
  })

  it('says what there is when it is asked for something else', async () => {
    const { status, stderr } = await run('main', '--peers', 'nothing')
    expect(status).toBe(1)
    expect(stderr).toContain('there is no nothing; there are ws, socket.io')
  })
})
