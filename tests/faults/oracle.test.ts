import { describe, expect, it } from 'vitest'
import { judge, type LogEntry, type Made, type View } from './oracle.js'

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
    ['I3', [entry(1), entry(3)], [], []],
    ['I4', [entry(1, { id: 'new' })], [], [view(1)]],
    ['I6', [entry(1), entry(2)], [made(2), made(1)], []],
    ['I7', [entry(1), entry(2), entry(3)], [], [view(1, 3)]],
    ['I7', [entry(1), entry(2)], [], [view(1, 1, 2)]],
    ['I8', [entry(1), entry(2)], [], [view(1)]],
  ])('finds a violation of %s', (invariant, log, promises, views) => {
    expect(judge(log, promises, views).join('\n')).toContain(invariant)
  })
})
