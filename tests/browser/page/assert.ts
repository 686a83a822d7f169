/** As much of `node:assert/strict` as the conformance suite of client stores uses, for a page. */

const show = (value: unknown): string =>
  JSON.stringify(value, (_, part) =>
    part === undefined
      ? 'undefined'
      : part !== null && typeof part === 'object' && !Array.isArray(part)
        ? Object.fromEntries(Object.entries(part).sort(([one], [other]) => (one < other ? -1 : 1)))
        : part,
  )

export function deepStrictEqual(actual: unknown, expected: unknown): void {
  if (show(actual) !== show(expected)) throw new Error(`Expected ${show(expected)}, came ${show(actual)}.`)
}

export const strictEqual = deepStrictEqual

export function ok(value: unknown): void {
  if (!value) throw new Error(`Expected something true, came ${show(value)}.`)
}
