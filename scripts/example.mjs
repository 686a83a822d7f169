import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { install, pnpm, root } from './pnpm.mjs'

const names = readdirSync(join(root, 'examples')).filter((each) =>
  existsSync(join(root, 'examples', each, 'package.json')),
)

const [name, ...args] = process.argv.slice(2)
if (!names.includes(name)) {
  console.error(`${name === undefined ? 'Which example?' : `There is no example "${name}".`} There are:\n`)
  for (const each of names) console.error(`  npm run example -- ${each.padEnd(10)} ${manifest(each).description}`)
  process.exit(1)
}

install()
const stale = ['protocol', 'client', 'server'].filter(
  (each) => built(each) < newest(join(root, 'packages', each, 'src')),
)
// A package is built again with those that bundle its types.
if (stale.length > 0)
  pnpm('-r', ...stale.flatMap((each) => ['--filter', `...@kithwire/${each}`]), 'run', '--if-present', 'build')

// npm runs this through a shell, which keeps a signal to itself and would leave the example behind without a parent.
const parent = process.ppid
if (process.env.npm_lifecycle_event) {
  const watch = setInterval(() => {
    if (process.ppid === parent) return
    clearInterval(watch)
    process.kill(process.pid, 'SIGTERM')
  }, 250)
  watch.unref()
}

// In this very process, so that a signal to it, kill -9 included, is one to the example.
const main = join(root, 'examples', name, manifest(name).main)
process.argv = [process.execPath, main, ...args]
process.chdir(join(root, 'examples', name))
await import(pathToFileURL(main).href)

function manifest(example) {
  return JSON.parse(readFileSync(join(root, 'examples', example, 'package.json'), 'utf8'))
}

/** When the package was built, ms since 1970; 0 if never. */
function built(each) {
  const file = join(root, 'packages', each, 'dist', 'index.d.ts')
  return existsSync(file) ? statSync(file).mtimeMs : 0
}

function newest(directory) {
  const files = readdirSync(directory, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile())
  return Math.max(...files.map((entry) => statSync(join(entry.parentPath ?? entry.path, entry.name)).mtimeMs))
}
