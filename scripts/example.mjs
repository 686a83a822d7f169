import { spawn } from 'node:child_process'
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
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

const folder = join(root, 'examples', name)
const child = spawn(process.execPath, [manifest(name).main, ...args], { cwd: folder, stdio: 'inherit' })
for (const signal of ['SIGINT', 'SIGTERM']) process.on(signal, () => child.kill(signal))
child.on('exit', (code, signal) => {
  process.exitCode = code ?? (signal === null ? 1 : 128)
})

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
