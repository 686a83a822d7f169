import { mkdirSync, readFileSync, rmSync } from 'node:fs'
import { checks, unused, vitest } from './checks.mjs'
import { attempt, root, tryInstall, tryPnpm } from './pnpm.mjs'

/** Everything: install, build, checks, all tests, the simulation. Ends on one line that counts what really ran. */
const total = { passed: 0, failed: 0, skipped: 0 }
const failures = []

function count({ passed, failed, skipped }) {
  total.passed += passed
  total.failed += failed
  total.skipped += skipped
}

/** One step counts as one; true if it passed. */
function step(name, run) {
  console.log(`\n══ ${name}`)
  const passed = run()
  count({ passed: passed ? 1 : 0, failed: passed ? 0 : 1, skipped: 0 })
  if (!passed) failures.push(name)
  return passed
}

function tests() {
  console.log('\n══ tests (vitest)')
  const report = `${root}.cache/vitest.json`
  mkdirSync(`${root}.cache`, { recursive: true })
  rmSync(report, { force: true })
  const succeeded = vitest('--reporter=default', '--reporter=json', `--outputFile.json=${report}`)
  const counted = read(report)
  // A file that does not load, an unhandled rejection or a crash of the runner fails the run and no test.
  if (!succeeded && counted.failed === 0) counted.failed = 1
  if (counted.passed + counted.failed === 0) counted.failed = 1
  count(counted)
  if (counted.failed > 0) failures.push('tests (vitest)')
}

function read(report) {
  try {
    const { numPassedTests, numPendingTests, numTodoTests, testResults } = JSON.parse(readFileSync(report, 'utf8'))
    let failed = 0
    for (const { status, assertionResults } of testResults) {
      const wrong = assertionResults.filter((result) => result.status === 'failed').length
      failed += wrong > 0 ? wrong : status === 'failed' ? 1 : 0
    }
    return { passed: numPassedTests, failed, skipped: numPendingTests + numTodoTests }
  } catch (error) {
    console.error(`no report of the tests: ${error.message}`)
    return { passed: 0, failed: 1, skipped: 0 }
  }
}

const simulate = (...args) => attempt(process.execPath, [`${root}scripts/simulate.mjs`, ...args])

const ready =
  step('install (frozen lock file)', tryInstall) &&
  step('build', () => tryPnpm('-r', '--filter', './packages/*', 'run', 'build'))
if (ready) {
  for (const [name, check] of checks) step(name, check)
  step('unused files, exports and dependencies (knip)', unused)
  tests()
  step('simulation, 20,000 seeds', () => simulate('--seeds', '20000'))
  step('errors planted in the shipped code are found', () => simulate('--mutants', 'trap'))
}

for (const name of failures) console.log(`failed: ${name}`)
console.log(`${total.passed} passed, ${total.failed} failed${total.skipped > 0 ? `, ${total.skipped} skipped` : ''}`)
process.exitCode = total.failed > 0 ? 1 : 0
