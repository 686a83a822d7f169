import pc from 'picocolors'

/** What one check has come to. Only a `problem` says that something does not work or is not safe. */
export interface Finding {
  check: string
  state: 'good' | 'warning' | 'problem' | 'unknown'
  /** What was found. */
  found: string
  /** What to do about it. */
  advice?: string
}

export const good = (check: string, found: string): Finding => ({ check, state: 'good', found })
export const unknown = (check: string, found: string): Finding => ({ check, state: 'unknown', found })
export const warning = (check: string, found: string, advice: string): Finding => ({
  check,
  state: 'warning',
  found,
  advice,
})
export const problem = (check: string, found: string, advice: string): Finding => ({
  check,
  state: 'problem',
  found,
  advice,
})

const MARKS = {
  good: pc.green('✓'),
  warning: pc.yellow('!'),
  problem: pc.red('✗'),
  unknown: pc.dim('?'),
} as const

/** One finding for people. */
export function show({ check, state, found, advice }: Finding): string {
  const line = `${MARKS[state]} ${check.padEnd(10)} ${found}`
  return advice === undefined ? line : `${line}\n${' '.repeat(13)}→ ${advice}`
}

/** How far another clock may be off: HTTP tells whole seconds, and nothing of Kithwire depends on less. */
const CLOCK_MS = { warning: 5_000, problem: 300_000 }

/** A clock that was read, against this machine's, in ms since 1970. */
export function clockFinding(check: string, whose: string, theirs: number, ours: number): Finding {
  const off = theirs - ours
  const seconds = Math.round(Math.abs(off) / 1_000)
  const found = `${whose} is ${seconds} s ${off < 0 ? 'behind' : 'ahead of'} this one`
  const advice = 'let NTP set the clocks of all machines; messages show the time of the server, and tokens end by it'
  if (Math.abs(off) > CLOCK_MS.problem) return problem(check, found, advice)
  if (Math.abs(off) > CLOCK_MS.warning) return warning(check, found, advice)
  return good(check, `${whose} agrees with this one`)
}
