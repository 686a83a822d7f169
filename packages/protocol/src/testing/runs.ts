const { env = {} } = (globalThis as { process?: { env: { RUNS?: string; CI?: string } } }).process ?? {}

/** How often a property is tried: less on the way to a commit, and as often as RUNS says in a long run. */
export const RUNS = { numRuns: Number(env.RUNS ?? (env.CI === 'true' ? 1_000 : 200)) }

/** Ms that a test of properties may take at that size, generously. */
export const RUNS_TIMEOUT = 60_000 + RUNS.numRuns * 60
