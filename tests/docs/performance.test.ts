import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { sectionOf, withSection } from '../../bench/report/document.js'
import { goalRows } from '../../bench/report/goals.js'
import type { WorkloadResult } from '../../bench/report/results.js'
import { changes, tableOf } from '../../bench/report/table.js'
import { root } from '../packaging/packages.js'

const run = (cpu: number, lost = 0) => ({
  figures: { cpu },
  exactness: { lost, double: 0, outOfOrder: 0, acknowledgedButLost: lost },
})

const workload = (ours: ReturnType<typeof run>[]): WorkloadResult => ({
  id: 'users-200',
  title: '200 users',
  figures: [{ name: 'cpu', title: 'CPU', digits: 1, ratio: true }],
  peers: [
    { id: 'socket.io', title: 'Socket.IO', kithwire: false, runs: [run(10), run(20), run(30)] },
    { id: 'sqlite', title: 'Kithwire', kithwire: true, runs: ours },
  ],
})

describe('the figures of docs/performance.md', () => {
  it('are those of docs/performance.json, which a run has written', () => {
    const document = readFileSync(join(root, 'docs/performance.md'), 'utf8')
    const figures = JSON.parse(readFileSync(join(root, 'docs/performance.json'), 'utf8'))
    expect(withSection(document, sectionOf(figures))).toBe(document)
  })

  it('are medians, with ratios within each round', () => {
    expect(tableOf(workload([run(5), run(40), run(15)]))).toEqual([
      ['', 'CPU', '× Socket.IO', 'lost / double / out of order', 'acknowledged but lost'],
      ['Socket.IO', '20.0 (10.0–30.0)', '1.00×', '0 / 0 / 0', '0'],
      ['Kithwire', '15.0 (5.0–40.0)', '0.50×', '0 / 0 / 0', '0'],
    ])
  })

  it('tell what became of them since another commit', () => {
    const both = workload([run(5), run(40), run(15)])
    both.peers.push({ id: 'sqlite@abc', title: 'Kithwire, abc', kithwire: true, runs: [run(10), run(40), run(60)] })
    expect(changes(both)).toEqual(['Kithwire, since abc: CPU × 0.50 (0.25–1.00)'])
  })

  it.each([
    ['as aimed', [run(9), run(18), run(27)]],
    ['yes', [run(11), run(22), run(33)]],
    ['**no**', [run(13), run(26), run(39)]],
  ])('say of a goal: %s', (verdict, runs) => {
    const [, row] = goalRows([workload(runs)])
    expect(row?.at(-1)).toBe(verdict)
  })

  it('say that something was lost', () => {
    const last = goalRows([workload([run(9), run(18), run(27, 1)])]).at(-1)
    expect(last?.slice(1)).toEqual(['1', '0', '0', '**no**'])
  })
})
