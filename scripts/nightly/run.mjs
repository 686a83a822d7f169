import { spawn } from 'node:child_process'
import { existsSync, mkdirSync, readFileSync, rmSync } from 'node:fs'
import { dirname } from 'node:path'
import { root } from '../pnpm.mjs'

/** Longer than any test of a chunk may take that has no limit of its own. */
const TEST_TIMEOUT_MS = 6 * 3_600_000

/**
 * Runs one chunk of a layer in a process of its own. `output` is a path without extension, for what the process writes.
 * Answers with a summary, whatever became of the process: `{ runs, violations, hangs, seconds, details }` and, where
 * there is nothing to count, `trouble`.
 */
export async function runChunk(layer, chunk, output) {
  const report = `${output}.report.json`
  const results = `${output}.tests.json`
  mkdirSync(dirname(output), { recursive: true })
  for (const file of [report, results]) rmSync(file, { force: true })
  const missing = layer.vitest?.filter((path) => !existsSync(root + path)) ?? []
  if (missing.length > 0) return { ...NOTHING, trouble: `${missing.join(', ')} is not there` }
  const start = performance.now()
  const { code, signal, text } = layer.simulate
    ? await node(['scripts/simulate.mjs', ...layer.simulate({ ...chunk, report })], {})
    : await node(vitestArgs(layer, results), { REPORT: report, ...layer.env?.(chunk) })
  const seconds = (performance.now() - start) / 1_000
  if (signal) return { ...NOTHING, seconds, interrupted: true, trouble: `ended by ${signal}` }
  const tests = read(results)
  const summary = summarize(read(report)) ?? counted(layer, chunk, tests) ?? mutantsOf(text)
  if (!summary) return { ...NOTHING, seconds, trouble: `exit code ${code}, and nothing reported` }
  // A failure that no summary knows of, as of a test that checks the checker.
  if (code !== 0 && summary.violations + summary.hangs === 0) summary.violations = 1
  if (summary.runs === 0) summary.trouble = 'nothing was run'
  return { ...summary, seconds }
}

const NOTHING = { runs: 0, violations: 0, hangs: 0, seconds: 0, details: {} }

function vitestArgs({ vitest, project = 'integration' }, results) {
  const reporters = ['--reporter=default', '--reporter=json', `--outputFile.json=${results}`]
  const files = ['--project', project, '--no-file-parallelism', `--testTimeout=${TEST_TIMEOUT_MS}`, ...vitest]
  return ['node_modules/vitest/vitest.mjs', 'run', ...reporters, ...files]
}

/** Output goes to the console; its end is kept. */
function node(args, env) {
  const child = spawn(process.execPath, args, {
    cwd: root,
    env: { ...process.env, ...Object.fromEntries(Object.entries(env).map(([name, value]) => [name, `${value}`])) },
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  let text = ''
  child.stdout.on('data', (data) => {
    process.stdout.write(data)
    text = (text + data).slice(-10_000)
  })
  return new Promise((resolve) => child.on('close', (code, signal) => resolve({ code, signal, text })))
}

function read(file) {
  try {
    return JSON.parse(readFileSync(file, 'utf8'))
  } catch {
    return undefined
  }
}

const count = (value) => (Array.isArray(value) ? value.length : Number(value ?? 0))

/** One summary of what was reported: by a test, by several, or by the simulation, which counts seeds. */
function summarize(reported) {
  if (reported === undefined) return undefined
  const all = [reported].flat().map(({ name, runs, seeds, violations, hangs, seconds: _, details, ...more }) => ({
    name,
    runs: count(runs ?? seeds),
    violations: count(violations),
    hangs: count(hangs),
    details: details ?? more,
  }))
  return addUp(all)
}

/** Without a report, a test is a run. */
function counted({ each }, chunk, tests) {
  if (!tests) return undefined
  const { numPassedTests: passed, numFailedTests: failed } = tests
  return { runs: (passed + failed) * (each ? chunk.count : 1), violations: failed, hangs: 0, details: {} }
}

function mutantsOf(text) {
  const [, mutants, survived] = /(\d+) mutants, \d+ caught, (\d+) survived/.exec(text) ?? []
  return mutants && { runs: Number(mutants), violations: Number(survived), hangs: 0, details: {} }
}

/** Sums of all that can be summed; lists behind each other; of percentiles, named `p50`, `p99`, `max`, the largest. */
export function addUp(summaries) {
  const total = { ...NOTHING }
  for (const { runs, violations, hangs, seconds = 0, details = {} } of summaries) {
    total.runs += runs
    total.violations += violations
    total.hangs += hangs
    total.seconds += seconds
    total.details = merge(total.details, details)
  }
  return total
}

function merge(one, other) {
  const merged = { ...one }
  for (const [name, value] of Object.entries(other)) {
    const before = merged[name]
    if (typeof value === 'number' && typeof before === 'number')
      merged[name] = /^(p\d+|max)/.test(name) ? Math.max(before, value) : before + value
    else if (Array.isArray(value) && Array.isArray(before)) merged[name] = [...before, ...value]
    else if (isRecord(value) && isRecord(before)) merged[name] = merge(before, value)
    else merged[name] = value
  }
  return merged
}

const isRecord = (value) => typeof value === 'object' && value !== null && !Array.isArray(value)
