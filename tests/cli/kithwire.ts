import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { root } from '../packaging/packages.js'

export interface Ended {
  code: number | null
  stdout: string
  stderr: string
}

/** The command as it is published, in a process of its own; its output so far. */
export function start(args: readonly string[], env: Record<string, string> = {}) {
  const { MONGO_URL: _, ...inherited } = process.env
  const child: ChildProcess = spawn(process.execPath, [join(root, 'packages/server/dist/cli.js'), ...args], {
    cwd: join(root, 'tests'),
    env: { ...inherited, NO_COLOR: '1', ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  const output = { stdout: '', stderr: '' }
  child.stdout!.on('data', (chunk) => {
    output.stdout += chunk
  })
  child.stderr!.on('data', (chunk) => {
    output.stderr += chunk
  })
  const ended: Promise<Ended> = once(child, 'close').then(([code]) => ({ code, ...output }))
  return { child, output, ended }
}

/** Runs the command to its end. */
export const kithwire = (args: readonly string[], env?: Record<string, string>): Promise<Ended> =>
  start(args, env).ended

export interface Finding {
  check: string
  state: 'good' | 'warning' | 'problem' | 'unknown'
  found: string
  advice?: string
}

/** What the doctor finds, and that its exit code agrees. */
export async function findings(...args: string[]): Promise<Finding[]> {
  const { code, stdout, stderr } = await kithwire(['doctor', '--json', ...args])
  if (stdout === '') throw new Error(stderr)
  const { ok, findings } = JSON.parse(stdout) as { ok: boolean; findings: Finding[] }
  const problems = findings.filter(({ state }) => state === 'problem')
  if (ok !== (problems.length === 0) || code !== (ok ? 0 : 1)) throw new Error(`ended with ${code}: ${stdout}`)
  for (const { state, advice } of findings)
    if ((state === 'problem' || state === 'warning') && !advice) throw new Error(`nothing to do is said: ${stdout}`)
  return findings
}

/** Findings as `check state: found`, to match against. */
export const lines = (found: readonly Finding[]): string[] =>
  found.map(({ check, state, found: text }) => `${check} ${state}: ${text}`)
