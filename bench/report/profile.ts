import { readdirSync, readFileSync, rmSync } from 'node:fs'
import { basename, join } from 'node:path'
import { fixed } from './numbers.js'
import { aligned } from './table.js'

interface Profile {
  nodes: { id: number; callFrame: { functionName: string; url: string; lineNumber: number } }[]
  samples: number[]
  timeDeltas: number[]
}

/** Functions that are shown. */
const MOST = 45

/** Where the time of the profiles in a directory went, by function, the time that it slept left out. Removes them. */
export function profileText(directory: string): string {
  const self = new Map<string, number>()
  for (const file of readdirSync(directory)) {
    const path = join(directory, file)
    for (const [name, time] of selfTimes(JSON.parse(readFileSync(path, 'utf8'))))
      self.set(name, (self.get(name) ?? 0) + time)
    rmSync(path)
  }
  self.delete('(idle)')
  const total = [...self.values()].reduce((sum, time) => sum + time, 0)
  const rows = [...self]
    .sort(([, one], [, other]) => other - one)
    .slice(0, MOST)
    .map(([name, time]) => [`${fixed((100 * time) / total, 1)} %`, name])
  return aligned([['self', `of ${fixed(total / 1e6, 2)} s`], ...rows])
}

function selfTimes({ nodes, samples, timeDeltas }: Profile): Map<string, number> {
  const names = new Map(
    nodes.map(({ id, callFrame: { functionName, url, lineNumber } }) => {
      const place = url === '' ? '' : ` ${placeOf(url)}:${lineNumber + 1}`
      return [id, `${functionName || '(anonymous)'}${place}`]
    }),
  )
  const times = new Map<string, number>()
  samples.forEach((id, index) => {
    const name = names.get(id)!
    times.set(name, (times.get(name) ?? 0) + timeDeltas[index]!)
  })
  return times
}

/** Of a package its name and file, of all else the file. */
function placeOf(url: string): string {
  const dependency = /.*node_modules\/((?:@[^/]+\/)?[^/]+)\//.exec(url)?.[1]
  return dependency ? `${dependency}/${basename(url)}` : basename(url)
}
