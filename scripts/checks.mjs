import { longFiles } from './file-length.mjs'
import { attempt, root } from './pnpm.mjs'

const bin = (path, ...args) => attempt(process.execPath, [`${root}node_modules/${path}`, ...args])

/** Each package is also checked alone: protocol and client must know neither Node nor the DOM. */
const PROJECTS = ['.', 'packages/protocol', 'packages/client', 'packages/server', 'examples']

/** The parts of the fast gate that run no test: a name, and a function that is true if all is well. */
export const checks = [
  ['style and seams (biome)', () => bin('@biomejs/biome/bin/biome', 'check', '--error-on-warnings', '.')],
  ['types (tsc)', () => PROJECTS.every((project) => bin('typescript/bin/tsc', '-p', project))],
  ['file length', () => longFiles().length === 0],
]

/** Files, exports and dependencies that nothing uses. */
export const unused = () => bin('knip/bin/knip.js', '--no-progress')

/** Runs vitest; true if every test passed and nothing else went wrong. */
export const vitest = (...args) => bin('vitest/vitest.mjs', 'run', ...args)
