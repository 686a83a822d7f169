import { cpSync, mkdirSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { afterAll, describe, expect, it } from 'vitest'
import { emptyFolder, root, runTool } from './packages.js'

/** The lint rule that keeps clocks, timers, randomness and sockets behind a seam, tried on files that break it. */
const AMBIENT = [
  'export const now = Date.now()',
  'export const date = new Date()',
  'export const random = Math.random()',
  'export const timer = setTimeout(() => {}, 1)',
  'export const timer = setInterval(() => {}, 1)',
  'export const id = crypto.randomUUID()',
  `export const socket = new WebSocket('ws://127.0.0.1')`,
  'export const now = performance.now()',
  'export const timer = globalThis.setTimeout(() => {}, 1)',
  'const { random } = Math\nexport const number = random()',
  'export const now = process.hrtime.bigint()',
  `export { randomUUID } from 'node:crypto'`,
  `export { setTimeout } from 'node:timers/promises'`,
]
const WS = `export { WebSocket } from 'ws'`

// The rules and the paths they look at, without the project: nothing else can see a file that is wrong on purpose.
const folder = emptyFolder()
cpSync(join(root, 'biome.json'), join(folder.path, 'biome.json'))
cpSync(join(root, 'scripts/no-ambient.grit'), join(folder.path, 'scripts/no-ambient.grit'))
afterAll(() => folder[Symbol.dispose]())

/** Which of these files biome finds an error in. */
function refused(files: Record<string, string>): string[] {
  for (const [path, text] of Object.entries(files)) {
    mkdirSync(dirname(join(folder.path, path)), { recursive: true })
    writeFileSync(join(folder.path, path), `${text}\n`)
  }
  const biome = join(root, 'node_modules/@biomejs/biome/bin/biome')
  const args = ['lint', '--vcs-enabled=false', '--reporter=json', '--max-diagnostics=none', ...Object.keys(files)]
  const { stdout } = runTool(process.execPath, [biome, ...args], folder.path)
  const { diagnostics } = JSON.parse(stdout) as { diagnostics: { severity: string; location: { path: string } }[] }
  const errors = diagnostics.filter(({ severity }) => severity === 'error')
  return [...new Set(errors.map(({ location }) => location.path))].sort()
}

describe('outside the seams', () => {
  it.each(['protocol', 'client', 'server'])('each of them is refused in %s', (name) => {
    const files = Object.fromEntries(AMBIENT.map((text, index) => [`packages/${name}/src/ambient-${index}.ts`, text]))
    expect(refused(files)).toEqual(Object.keys(files).sort())
  })

  it('the client names ws in its socket files only', () => {
    const wrong = 'packages/client/src/connection.ts'
    expect(refused({ [wrong]: WS, 'packages/client/src/socket.ts': WS })).toEqual([wrong])
  })
})

describe('at the seams', () => {
  it.each(['protocol/src/runtime.ts', 'client/src/socket.ts', 'server/src/stores/x.ts', 'server/src/x.test.ts'])(
    'they are allowed: %s',
    (path) => expect(refused({ [`packages/${path}`]: 'export const now = [Date.now(), Math.random()]' })).toEqual([]),
  )
})
