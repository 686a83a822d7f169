import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { describe, expect, it } from 'vitest'
import { root, runTool } from './packages.js'

interface Chunk {
  first: number
  count: number
}
interface Layer {
  id: string
  total?: number
  chunk?: number
  vitest?: string[]
}
interface Sums {
  runs: number
  violations: number
  hangs: number
  details: object
}

const load = (name: string) => import(pathToFileURL(join(root, `scripts/nightly/${name}.mjs`)).href)
const { layers, chunksOf } = (await load('layers')) as {
  layers: Layer[]
  chunksOf(layer: Layer, scale: number): Chunk[]
}
const { addUp, runChunk } = (await load('run')) as {
  addUp(summaries: Partial<Sums>[]): Sums
  runChunk(layer: Layer, chunk: Chunk, output: string): Promise<Sums & { trouble?: string }>
}

describe('npm run nightly', () => {
  it.each([1, 0.37, 0.01, 0.000_001])('does each run once, in chunks, at scale %s', (scale) => {
    for (const layer of layers.filter(({ total }) => total !== undefined)) {
      const chunks = chunksOf(layer, scale)
      let next = 1
      for (const { first, count } of chunks) {
        expect(first).toBe(next)
        expect(count).toBeGreaterThan(0)
        expect(count).toBeLessThanOrEqual(layer.chunk ?? layer.total!)
        next += count
      }
      expect(next - 1).toBe(Math.max(1, Math.round(layer.total! * scale)))
    }
  })

  it('adds up chunks, with the worst of their percentiles and all of their values', () => {
    const chunk = (runs: number, p99: number, deaths: object) => ({
      ...{ runs, violations: 1, hangs: 0 },
      details: { deaths, restartMs: { p99 }, values: [p99], text: 'x' },
    })
    expect(addUp([chunk(2, 700, { here: 2 }), chunk(3, 500, { here: 1, there: 2 })])).toMatchObject({
      ...{ runs: 5, violations: 2, hangs: 0 },
      details: { deaths: { here: 3, there: 2 }, restartMs: { p99: 700 }, values: [700, 500], text: 'x' },
    })
  })

  it('says what it cannot run, and counts nothing', async () => {
    const layer = { id: 'x', vitest: ['tests/no-such-layer'] }
    const { runs, trouble } = await runChunk(layer, { first: 1, count: 1 }, join(root, '.cache/nightly/test/x'))
    expect([runs, trouble]).toEqual([0, 'tests/no-such-layer is not there'])
  })

  it('lists its layers, and knows no others', () => {
    const list = runTool(process.execPath, ['scripts/nightly.mjs', '--list'], root)
    expect(list.status).toBe(0)
    for (const { id } of layers) expect(list.stdout).toContain(id)
    const { status, stderr } = runTool(process.execPath, ['scripts/nightly.mjs', '--only', 'nothing'], root)
    expect(status).toBe(1)
    expect(stderr).toContain('no layer nothing; there are simulation')
  })
})
