import { closeSync, fdatasyncSync, mkdirSync, openSync, rmSync, writeSync } from 'node:fs'
import { arch, cpus, platform, release, totalmem } from 'node:os'
import { join } from 'node:path'
import { spread } from './report/numbers.js'

/** What a figure depends on beside the code; nothing that names the machine. */
export function machineOf(): string {
  const [cpu] = cpus()
  const model = cpu?.model.replace(/\s+/g, ' ').trim() || 'unknown processor'
  const memory = `${Math.round(totalmem() / 2 ** 30)} GB`
  const system = `${platform()} ${release().split(/[-+]/)[0]} ${arch()}`
  return `${model}, ${cpus().length} cores, ${memory}, Node ${process.versions.node}, ${system}`
}

/** Ms that a write of 4 KB takes until it is on the disk of `directory`. */
export function measureSync(directory: string, times = 50): number {
  mkdirSync(directory, { recursive: true })
  const file = join(directory, 'sync')
  const handle = openSync(file, 'w')
  const page = Buffer.alloc(4_096, 1)
  try {
    const took = Array.from({ length: times }, (_, index) => {
      const start = performance.now()
      writeSync(handle, page, 0, page.length, index * page.length)
      fdatasyncSync(handle)
      return performance.now() - start
    })
    return spread(took)!.median
  } finally {
    closeSync(handle)
    rmSync(file)
  }
}
