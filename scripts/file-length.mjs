import { readdirSync, readFileSync } from 'node:fs'
import { join, relative } from 'node:path'
import { root } from './pnpm.mjs'

/** Beyond this a file holds more than one noun. */
const MAX_LINES = 300

const GENERATED = new Set(['node_modules', 'dist', 'coverage', 'api', 'data'])

/** Source files with more than 300 lines. Names each on the console. */
export function longFiles() {
  const long = sources(root)
    .map((path) => [relative(root, path), readFileSync(path, 'utf8').split('\n').length - 1])
    .filter(([, lines]) => lines > MAX_LINES)
  for (const [path, lines] of long) console.error(`${path}: ${lines} lines; split it, at most ${MAX_LINES}`)
  return long
}

function sources(folder) {
  return readdirSync(folder, { withFileTypes: true }).flatMap((entry) => {
    if (entry.name.startsWith('.') || GENERATED.has(entry.name)) return []
    const path = join(folder, entry.name)
    if (entry.isDirectory()) return sources(path)
    return /\.[cm]?[jt]sx?$/.test(entry.name) ? [path] : []
  })
}
