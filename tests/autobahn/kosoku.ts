import { execFile, execFileSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { findCommand } from '../support/need.js'

/** Drives the case files of Autobahn's test suite for RFC 6455 natively, without Python 2 or a container. */
const PACKAGE = 'kosoku==0.1.0'
export const KOSOKU = `python3 (≥ 3.10) with pip, and the package ${PACKAGE} from PyPI (Debian: apt-get install python3-pip)`

const folder = fileURLToPath(new URL(`../../.cache/${PACKAGE.replace('==', '-')}`, import.meta.url))
const MAIN = ['-c', 'from kosoku._cli import main; main()']

/** The Python that has it, installed into `.cache` the first time; undefined if it cannot be had. */
export function findKosoku(): string | undefined {
  const python = findCommand(['/usr/bin/python3', 'python3'], ['-m', 'pip', '--version'])
  if (python === undefined || works(python)) return python
  try {
    rmSync(folder, { recursive: true, force: true })
    mkdirSync(folder, { recursive: true })
    const pip = ['-m', 'pip', 'install', '--quiet', '--disable-pip-version-check', '--no-deps', '--target', folder]
    execFileSync(python, [...pip, PACKAGE], { stdio: ['ignore', 'ignore', 'inherit'], timeout: 120_000 })
  } catch {
    return undefined
  }
  return works(python) ? python : undefined
}

const environment = { ...process.env, PYTHONPATH: folder, PYTHONDONTWRITEBYTECODE: '1' }

function works(python: string): boolean {
  try {
    execFileSync(python, [...MAIN, '--help'], { stdio: 'ignore', env: environment, timeout: 30_000 })
    return true
  } catch {
    return false
  }
}

/** What became of one case. `code` is the close code that the suite saw from the server. */
export interface CaseResult {
  behavior: string
  behaviorClose: string
  code: number | undefined
}

/** Runs the cases against a server. `select` are arguments such as `-x 12.*`. */
export async function runCases(
  python: string,
  address: string,
  select: readonly string[],
): Promise<Map<string, CaseResult>> {
  const out = mkdtempSync(join(tmpdir(), 'kithwire-autobahn-'))
  try {
    const args = [...MAIN, '-m', 'fuzzingclient', ...select, '-p', '4', '-o', out, address]
    // It ends with an error if a case failed; the report says which.
    const output = await new Promise<string>((resolve) => {
      execFile(python, args, { env: environment, timeout: 300_000 }, (_error, stdout, stderr) =>
        resolve(stdout + stderr),
      )
    })
    return read(join(out, 'index.json'), output)
  } finally {
    rmSync(out, { recursive: true, force: true })
  }
}

function read(path: string, output: string): Map<string, CaseResult> {
  let report: { [agent: string]: { [id: string]: CaseResult & { remoteCloseCode?: number } } }
  try {
    report = JSON.parse(readFileSync(path, 'utf8'))
  } catch (cause) {
    throw new Error(`Expected a report of the cases, came:\n${output}`, { cause })
  }
  const [cases = {}] = Object.values(report)
  return new Map(
    Object.entries(cases).map(([id, { behavior, behaviorClose, remoteCloseCode }]) => [
      id,
      { behavior, behaviorClose, code: remoteCloseCode ?? undefined },
    ]),
  )
}
