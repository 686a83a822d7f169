import { execFileSync } from 'node:child_process'
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { checkOut, withEarlier } from './against.js'
import { compare, violations } from './compare.js'
import { readOptions } from './options.js'
import { PEERS } from './peers.js'
import { sectionOf, withSection } from './report/document.js'
import { goalRows } from './report/goals.js'
import { merged } from './report/published.js'
import type { Results } from './report/results.js'
import { aligned } from './report/table.js'
import { allWorkloads } from './workloads/all.js'

/** The entry of `npm run bench`. */
const root = fileURLToPath(new URL('../..', import.meta.url))
const options = readOptions(process.argv.slice(2))
if (options.against) options.peers = withEarlier(options.peers, checkOut(root, options.against))

const git = (...args: string[]) => execFileSync('git', args, { cwd: root, encoding: 'utf8' }).trim()

function commitOf(): string {
  try {
    const changed = git('status', '--porcelain', '--', 'packages', 'bench') !== ''
    return git('rev-parse', '--short=12', 'HEAD') + (changed ? '-changed' : '')
  } catch {
    return 'unknown'
  }
}

/** Puts what was run into docs/performance.json, and the tables of all that is there into docs/performance.md. */
function publish(results: Results): void {
  const [figures, document] = ['json', 'md'].map((extension) => join(root, `docs/performance.${extension}`)) as [
    string,
    string,
  ]
  const ids = allWorkloads({ warmMs: 0, measureMs: 0 }).map(({ id }) => id)
  const published = merged(JSON.parse(readFileSync(figures, 'utf8')), results, ids)
  writeFileSync(figures, `${JSON.stringify(published, null, 1)}\n`)
  writeFileSync(document, withSection(readFileSync(document, 'utf8'), sectionOf(published)))
}

if (options.list) {
  for (const { id, title } of options.workloads) console.log(`${id.padEnd(18)} ${title}`)
  console.log('')
  for (const { id, title } of PEERS) console.log(`${id.padEnd(18)} ${title}`)
} else {
  const commit = commitOf()
  if (options.writeDocs && (options.smoke || !/^[0-9a-f]+$/.test(commit))) {
    console.error(
      `--write-docs: figures belong to a commit and say something; this is ${commit}${options.smoke ? ', and a smoke' : ''}.`,
    )
    process.exit(1)
  }
  const data = join(root, '.cache/bench/data')
  const results = await compare(options, { root, data, commit })
  rmSync(data, { recursive: true, force: true })
  const file = join(root, 'bench/results', `${results.date}-${commit}${options.smoke ? '-smoke' : ''}.json`)
  mkdirSync(join(file, '..'), { recursive: true })
  writeFileSync(file, `${JSON.stringify(results, null, 1)}\n`)
  if (!options.smoke) console.log(`Kithwire on SQLite, as it must be\n${aligned(goalRows(results.workloads))}\n`)
  console.log(`${results.machine}; fdatasync ${results.syncMs.toFixed(2)} ms; commit ${commit}\n${file}`)
  if (options.writeDocs) publish(results)
  const broken = violations(results)
  for (const text of broken) console.error(`Not exact: ${text}`)
  process.exitCode = broken.length > 0 ? 1 : 0
}
