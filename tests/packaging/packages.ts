import { spawnSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

export const root = fileURLToPath(new URL('../..', import.meta.url))

export const PACKAGES = ['protocol', 'client', 'server'] as const
export type PackageName = (typeof PACKAGES)[number]

export interface Manifest {
  name: string
  version: string
  packageManager?: string
  exports: Record<string, unknown>
  [field: string]: unknown
}

export const manifest = (path: string): Manifest => JSON.parse(readFileSync(join(root, path, 'package.json'), 'utf8'))

/** Every import path of a package, without its `package.json`: `@kithwire/server`, `@kithwire/server/sqlite`, … */
export function specifiers(name: PackageName): string[] {
  const { name: scoped, exports } = manifest(`packages/${name}`)
  const paths = Object.keys(exports).filter((path) => path !== './package.json')
  return paths.map((path) => scoped + path.slice(1))
}

export interface Output {
  status: number | null
  stdout: string
  stderr: string
}

/** Runs a program to its end, without the settings that npm hands down to its children. */
export function runTool(command: string, args: readonly string[], cwd: string): Output {
  const env = Object.fromEntries(
    Object.entries(process.env).filter(([name]) => !/^(npm|pnpm|vitest|node_options)/i.test(name)),
  )
  const { status, stdout, stderr, error } = spawnSync(command, [...args], {
    cwd,
    env,
    encoding: 'utf8',
    maxBuffer: 64 * 1024 * 1024,
  })
  if (error) throw error
  return { status, stdout, stderr }
}

/** As {@link runTool}, but throws what the program printed if it failed. */
export function mustRun(command: string, args: readonly string[], cwd: string): string {
  const { status, stdout, stderr } = runTool(command, args, cwd)
  if (status !== 0) throw new Error(`${command} ${args.join(' ')} ended with ${status}\n${stdout}\n${stderr}`)
  return stdout
}

/** A new empty folder outside the project, so that nothing resolves by accident. */
export function emptyFolder(): { path: string; [Symbol.dispose](): void } {
  const path = mkdtempSync(join(tmpdir(), 'kithwire-'))
  return { path, [Symbol.dispose]: () => rmSync(path, { recursive: true, force: true }) }
}

/** Packs the packages as they would be published; the path of each tarball. */
export function pack(folder: string): Record<PackageName, string> {
  const { packageManager } = manifest('.')
  const packed = PACKAGES.map((name) => {
    const args = ['-y', packageManager!, 'pack', '--json', '--pack-destination', folder]
    const { filename } = JSON.parse(mustRun('npx', args, join(root, 'packages', name)))
    return [name, filename]
  })
  return Object.fromEntries(packed)
}
