import { spawnSync } from 'node:child_process'

/** The one version of pnpm that the lock file was written with; fetched by npx, so that only Node and npm are needed. */
const PNPM = 'pnpm@10.34.9'

export const root = new URL('..', import.meta.url).pathname

/** Runs a command in the project's root and ends this process if it fails. */
export function run(command, args, options = {}) {
  const { status, error } = spawnSync(command, args, { cwd: root, stdio: 'inherit', ...options })
  if (error) throw error
  if (status !== 0) process.exit(status ?? 1)
}

export const pnpm = (...args) => run('npx', ['-y', PNPM, ...args])
export const bin = (name, ...args) => run(process.execPath, [`${root}node_modules/${name}`, ...args])
export const install = () => pnpm('install', '--frozen-lockfile', '--prefer-offline', '--reporter=append-only')
