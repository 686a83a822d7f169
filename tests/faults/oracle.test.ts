import { describe, expect, it } from 'vitest'
import { judge, type LogEntry, type Made, type Mark, type Told, type View } from './oracle.js'
import { judgeGrowth } from './oracle-marks.js'

const entry = (seq: number, over: Partial<LogEntry> = {}): LogEntry => ({
  ...{ conversation: 'c', seq, id: `id${seq}`, from: 'ann', cid: `cid${seq}`, content: `m${seq}` },
  ...over,
})
const made = (seq: number): Made => ({
  conversation: 'c',
  from: 'ann',
  content: `m${seq}`,
  ack: { cid: `cid${seq}`, seq, id: `id${seq}` },
})
const ordered = (n: number, written: number, moment: number, seq = n): Made => ({
  ...{ ...made(n), from: `user${n}`, written },
  ack: { cid: `cid${n}`, seq, id: `id${seq}`, moment },
})
const view = (...seqs: number[]): View => ({
  device: 'ben',
  conversation: 'c',
  shown: seqs.map((seq) => ({ seq, id: `id${seq}`, content: `m${seq}` })),
})

describe('the oracle', () => {
  it('finds nothing where all is well', () => {
    expect(judge([entry(1), entry(2)], [made(1), made(2)], [view(1, 2)])).toEqual([])
  })

  it.each([
    ['I1', [entry(1)], [made(1), made(2)], []],
    ['I1', [entry(1, { content: 'other' })], [made(1)], []],
    ['I2', [entry(1), entry(2, { cid: 'cid1' })], [], []],
    ['I2', [entry(1), entry(2, { content: 'm1' })], [made(1)], []],
    ['I4', [entry(1), entry(2, { id: 'id1' })], [], []],
    ['I5', [entry(1), entry(2)], [ordered(1, 1, 2), ordered(2, 3, 4), ordered(3, 5, 6, 1)], []],
    ['I11', [entry(1, { from: 'eve' })], [made(1)], []],
    ['I3', [entry(1), entry(3)], [], []],
    ['I4', [entry(1, { id: 'new' })], [], [view(1)]],
    ['I6', [entry(1), entry(2)], [made(2), made(1)], []],
    ['I7', [entry(1), entry(2), entry(3)], [], [view(1, 3)]],
    ['I7', [entry(1), entry(2)], [], [view(1, 1, 2)]],
    ['I4', [entry(1)], [], [{ ...view(1), shown: [{ seq: 1, id: 'id1', content: 'm1', from: 'eve' }] }]],
    ['I8', [entry(1), entry(2)], [], [view(1)]],
  ])('finds a violation of %s', (invariant, log, promises, views) => {
    expect(judge(log, promises, views).join('\n')).toContain(invariant)
  })

  const mark = (delivered: number, read: number): Mark => ({ conversation: 'c', user: 'ann', delivered, read })
  const told = (delivered: number, read: number): Told => ({
    ...{ device: 'ben', conversation: 'c', of: 'ann' },
    ...{ delivered, read },
  })

  it('finds nothing in marks that grow', () => {
    const receipts = { marks: [mark(2, 2)], told: [told(1, 0), told(2, 1)] }
    expect(judge([entry(1), entry(2)], [], [], receipts)).toEqual([])
  })

  it.each([
    ['beyond the head', [mark(2, 0)], []],
    ['read and not delivered', [mark(0, 1)], []],
    ['told and not stored', [], [told(1, 0)]],
    ['told and stored with less', [mark(1, 0)], [told(1, 1)]],
    ['told and taken back', [mark(1, 1)], [told(1, 1), told(1, 0)]],
  ])('finds marks that are %s', (_, marks, news) => {
    expect(judge([entry(1)], [], [], { marks, told: news }).join('\n')).toContain('I10')
  })

  it('finds what a death has taken away', () => {
    const heads = new Map([['c', 2]])
    const before = { heads, marks: [mark(2, 1)] }
    expect(judgeGrowth(before, before)).toEqual([])
    expect(judgeGrowth(before, { heads: new Map([['c', 1]]), marks: [mark(2, 0)] })).toEqual([
      'I1 c: the head went back from 2 to 1',
      'I10 c: ann went back from 2/1 to 2/0',
    ])
    expect(judgeGrowth(before, { heads: new Map(), marks: [] })).toHaveLength(2)
  })
})
