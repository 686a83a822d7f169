import { deepStrictEqual } from 'node:assert'

/** The two functions that every test runner has. `it.skip` is used where there is one. */
export interface Runner {
  describe(name: string, body: () => void): void
  it: ((name: string, body: () => Promise<void>) => void) & { skip?(name: string, body: () => Promise<void>): void }
}

export interface Case<Bench> {
  group: string
  name: string
  run(bench: Bench): Promise<void>
}

export interface SuiteOptions<Bench> extends Runner {
  name: string
  cases: readonly Case<Bench>[]
  /** Makes what a case works with, and a function that cleans up after it. */
  prepare(): { bench: Bench; cleanUp(): Promise<void> }
  /** The name of a case or of a group → why it does not apply. */
  skip?: { readonly [caseOrGroup: string]: string }
}

/** Registers the cases with a runner. A skip needs a reason and must name something, or it would hide a later typo. */
export function suite<Bench>({ describe, it, name, cases, prepare, skip = {} }: SuiteOptions<Bench>): void {
  const names = new Set(cases.flatMap((one) => [one.group, one.name]))
  for (const [key, reason] of Object.entries(skip)) {
    if (!names.has(key)) throw new TypeError(`skip: expected the name of a case or group, came '${key}'.`)
    if (!reason) throw new TypeError(`skip: expected a reason for '${key}', came none.`)
  }
  describe(name, () => {
    for (const group of new Set(cases.map((one) => one.group)))
      describe(group, () => {
        for (const one of cases.filter((other) => other.group === group)) {
          const reason = skip[one.name] ?? skip[group]
          if (reason === undefined) it(one.name, () => runCase(one, prepare))
          else (it.skip ?? it)(`${one.name} (skipped: ${reason})`, async () => {})
        }
      })
  })
}

async function runCase<Bench>(one: Case<Bench>, prepare: SuiteOptions<Bench>['prepare']): Promise<void> {
  const { bench, cleanUp } = prepare()
  try {
    await one.run(bench)
  } finally {
    await cleanUp()
  }
}

const plain = (value: unknown): unknown => (value === undefined ? undefined : JSON.parse(JSON.stringify(value)))

/** Equal as JSON: neither the class of an object nor a field that is undefined makes a difference. */
export function same(actual: unknown, expected: unknown, what: string): void {
  try {
    deepStrictEqual(plain(actual), plain(expected))
  } catch (error) {
    throw new Error(`${what}: ${(error as Error).message}`)
  }
}

export function check(holds: boolean, what: string): asserts holds {
  if (!holds) throw new Error(what)
}

/** Fails unless the promise is rejected. */
export async function rejects(promise: Promise<unknown>, what: string): Promise<void> {
  const outcome = await promise.then(
    () => 'resolved',
    () => 'rejected',
  )
  check(outcome === 'rejected', `${what}: expected a rejection, came a result.`)
}
