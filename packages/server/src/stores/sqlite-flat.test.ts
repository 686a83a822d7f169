import fc from 'fast-check'
import { expect, it } from 'vitest'
import type { Outcome, Send } from '../store.js'
import { flattenOutcomes, flattenSends, unflattenOutcomes, unflattenSends } from './sqlite-flat.js'

const AT = 1_700_000_000_000

const item = fc.record(
  {
    cid: fc.string(),
    type: fc.string(),
    content: fc.string({ unit: 'binary' }),
    ref: fc.tuple(fc.string(), fc.string()),
    meta: fc.dictionary(fc.string(), fc.jsonValue(), { noNullPrototype: true }),
  },
  { requiredKeys: ['cid', 'type', 'content'] },
)
const send: fc.Arbitrary<Send> = fc.record({ conversation: fc.string(), from: fc.string(), items: fc.array(item) })

const stored = fc
  .record({ seq: fc.nat(), id: fc.string(), at: fc.nat(), duplicate: fc.boolean() })
  .map((one) => ({ ...one, at: one.duplicate ? one.at : AT }))
const refused = fc.record({
  index: fc.nat(),
  code: fc.constantFrom('cid_conflict' as const, 'busy' as const, 'store_unavailable' as const),
})
const outcome: fc.Arbitrary<Outcome> = fc.record(
  { stored: fc.array(stored), refused },
  { requiredKeys: ['stored'], noNullPrototype: true },
)

it('hands over sends as they were, with what few of them have', () => {
  fc.assert(
    fc.property(fc.array(send), (sends) => {
      expect(unflattenSends(structuredClone(flattenSends(sends)))).toEqual(sends)
    }),
  )
})

it('hands back outcomes as they were, refusals and times of duplicates included', () => {
  fc.assert(
    fc.property(fc.array(outcome), (outcomes) => {
      expect(unflattenOutcomes(structuredClone(flattenOutcomes(outcomes)), AT)).toEqual(outcomes)
    }),
  )
})
