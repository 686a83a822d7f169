import { execFileSync } from 'node:child_process'
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { arch, cpus, platform, release, totalmem } from 'node:os'
import { root } from '../pnpm.mjs'

const git = (...args) => execFileSync('git', args, { cwd: root, encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] })

/** The commit that is run, marked where the files are not those of the commit. What is written by hand does not count. */
export function commitOf() {
  try {
    const changes = git('status', '--porcelain', '--', '.', ':!docs', ':!*.md').trim()
    return git('rev-parse', '--short=12', 'HEAD').trim() + (changes ? '-changed' : '')
  } catch {
    return 'unknown'
  }
}

/** What a figure depends on beside the code; nothing that names the machine. */
export function machineOf() {
  const [cpu] = cpus()
  const memory = `${Math.round(totalmem() / 2 ** 30)} GB`
  const system = `${platform()} ${release().split(/[-+]/)[0]} ${arch()}`
  const model = cpu?.model.replace(/\s+/g, ' ').trim() || 'unknown processor'
  return `${model}, ${cpus().length} cores, ${memory}, Node ${process.versions.node}, ${system}`
}

/** What is done of a commit, a file per chunk, so that a run that was interrupted goes on where it was. */
export class State {
  constructor(commit) {
    this.folder = `${root}.cache/nightly/${commit}/`
  }

  /** The path of a chunk's files, without extension. */
  path({ id, total }, { first, count, scale }) {
    return `${this.folder}${id}-${total === undefined ? `x${scale}` : `${first}-${count}`}`
  }

  get(layer, chunk) {
    try {
      return JSON.parse(readFileSync(`${this.path(layer, chunk)}.json`, 'utf8'))
    } catch {
      return undefined
    }
  }

  put(layer, chunk, summary) {
    mkdirSync(this.folder, { recursive: true })
    writeFileSync(`${this.path(layer, chunk)}.json`, JSON.stringify(summary, null, 1))
  }
}
