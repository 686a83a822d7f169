import { readdirSync, readFileSync, rmSync } from 'node:fs'
import { basename, join } from 'node:path'
import { fixed } from './numbers.js'
import { aligned } from './table.js'

interface Profile {
  nodes: { id: number; children?: number[]; callFrame: { functionName: string; url: string; lineNumber: number } }[]
  samples: number[]
  timeDeltas: number[]
}

interface Times {
  self: number
  /** With what it called. */
  total: number
}

/** Functions that are shown. */
const MOST = 60

/** Where the time of the profiles in a directory went, by function, the time that it slept left out. Removes them. */
export function profileText(directory: string): string {
  const times = new Map<string, Times>()
  for (const file of readdirSync(directory)) {
    const path = join(directory, file)
    addTimes(JSON.parse(readFileSync(path, 'utf8')), times)
    rmSync(path)
  }
  times.delete('(idle)')
  times.delete('(root)')
  const all = [...times.values()].reduce((sum, { self }) => sum + self, 0)
  const share = (time: number) => `${fixed((100 * time) / all, 1)} %`
  const rows = [...times]
    .sort(([, one], [, other]) => other.self - one.self)
    .slice(0, MOST)
    .map(([name, { self, total }]) => [share(self), share(total), name])
  return aligned([['self', 'with calls', `of ${fixed(all / 1e6, 2)} s`], ...rows])
}

function addTimes({ nodes, samples, timeDeltas }: Profile, times: Map<string, Times>): void {
  const own = new Map<number, number>()
  samples.forEach((id, index) => {
    own.set(id, (own.get(id) ?? 0) + timeDeltas[index]!)
  })
  const byId = new Map(nodes.map((node) => [node.id, node]))
  const above: string[] = []
  const walk = (id: number): number => {
    const { callFrame, children = [] } = byId.get(id)!
    const { functionName, url, lineNumber } = callFrame
    const name = `${functionName || '(anonymous)'}${url === '' ? '' : ` ${placeOf(url)}:${lineNumber + 1}`}`
    const self = own.get(id) ?? 0
    above.push(name)
    const total = children.reduce((sum, child) => sum + walk(child), self)
    above.pop()
    const known = times.get(name) ?? { self: 0, total: 0 }
    // What calls itself counts once.
    times.set(name, { self: known.self + self, total: known.total + (above.includes(name) ? 0 : total) })
    return total
  }
  walk(nodes[0]!.id)
}

/** Of a package its name and file, of all else the file. */
function placeOf(url: string): string {
  const dependency = /.*node_modules\/((?:@[^/]+\/)?[^/]+)\//.exec(url)?.[1]
  return dependency ? `${dependency}/${basename(url)}` : basename(url)
}
