import { spawnSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

/** The one version of pnpm that the lock file was written with; fetched by npx, so that only Node and npm are needed. */
const PNPM = 'pnpm@10.34.9'

export const root = fileURLToPath(new URL('..', import.meta.url))

/** Runs a command in the project's root; true if it succeeded. */
export function attempt(command, args, options = {}) {
  const windows = process.platform === 'win32'
  const { status, error } = spawnSync(command, args, { cwd: root, stdio: 'inherit', shell: windows, ...options })
  if (error) console.error(`${command}: ${error.message}`)
  return status === 0
}

/** Runs a command in the project's root and ends this process if it fails. */
export function run(command, args, options) {
  if (!attempt(command, args, options)) process.exit(1)
}

const viaNpx = (args) => ['npx', ['-y', PNPM, ...args]]
export const pnpm = (...args) => run(...viaNpx(args))
export const tryPnpm = (...args) => attempt(...viaNpx(args))

const INSTALL = ['install', '--frozen-lockfile', '--prefer-offline', '--reporter=append-only']

/** Installs exactly what the lock file says; true if it succeeded. */
export const tryInstall = () => tryPnpm(...INSTALL)

/** Installs exactly what the lock file says, and at once if that is there already. */
export function install() {
  if (!isInstalled()) pnpm(...INSTALL)
}

/** pnpm keeps a copy of the lock file that it installed from. */
function isInstalled() {
  try {
    return readFileSync(`${root}node_modules/.pnpm/lock.yaml`).equals(readFileSync(`${root}pnpm-lock.yaml`))
  } catch {
    return false
  }
}
