import type { MemoryStore } from '../stores/memory.js'
import * as append from './broken-append-stores.js'
import * as state from './broken-state-stores.js'

/** A store with one fault, and the cases of the suite that are made to find it: the check of the checker. */
export interface BrokenStore {
  open: new () => MemoryStore
  caught: readonly string[]
}

export const brokenStores: readonly BrokenStore[] = [
  {
    open: append.ForgetsIdempotency,
    caught: ['answers a retry with what the original became', 'makes one entry of 1,000 equal sends at once'],
  },
  { open: append.RemembersTheLastThousand, caught: ['knows a retry after thousands of later entries'] },
  { open: append.ForgetsWhoseCidItIs, caught: ['keeps cids of other conversations and other senders apart'] },
  { open: append.IgnoresCase, caught: ['takes ids that look alike for different ones'] },
  { open: append.LosesNul, caught: ['gives back every string as it was'] },
  { open: append.ReordersTheItems, caught: ['gives 1, 2, 3 … in the order of the items and of the sends'] },
  { open: append.ReordersTheSends, caught: ['gives 1, 2, 3 … in the order of the items and of the sends'] },
  {
    open: append.CountsBeforeItInserts,
    caught: ['never shows a gap or a head that cannot be read while others write'],
  },
  {
    open: append.UsesUpASeqForAConflict,
    caught: ['refuses other content under a used cid, and what stands behind it'],
  },
  { open: append.GoesOnBehindARefusal, caught: ['refuses other content under a used cid, and what stands behind it'] },
  {
    open: append.RefusesTheWholeCallForAConflict,
    caught: ['refuses a conflict within one send, and goes on with the other sends of the call'],
  },
  {
    open: append.AcceptsConflicts,
    caught: [
      'refuses other content under a used cid, and what stands behind it',
      'refuses a conflict within one send, and goes on with the other sends of the call',
    ],
  },
  { open: append.AcceptsConflictsWithWhatItBlanked, caught: ['knows retries and conflicts of what it has blanked'] },
  { open: append.ComparesContentAlone, caught: ['refuses other content under a used cid, and what stands behind it'] },
  {
    open: state.ShowsHeadsAheadOfTheLog,
    caught: ['never shows a gap or a head that cannot be read while others write'],
  },
  { open: state.CutsTailsFromTheFront, caught: ['tells heads in the order asked, with the tail of the last id'] },
  { open: state.ReadsAfterInclusively, caught: ['pages forwards and backwards, ascending both ways'] },
  { open: state.ReadsTheOldestBefore, caught: ['pages forwards and backwards, ascending both ways'] },
  {
    open: state.TakesMarksBack,
    caught: [
      'merges marks by max and answers in the same order',
      'ends at the highest mark, whatever the order of many at once',
    ],
  },
  { open: state.CountsOwnEntriesToo, caught: ['counts the entries of others that are something to read'] },
  { open: state.CountsEverythingInBetween, caught: ['counts the entries of others that are something to read'] },
  {
    open: state.KeepsSetBackWhatWasReadFurther,
    caught: ['sets back what was seen, until `read` grows or it is set again'],
  },
  { open: state.ForgetsWhatWasSetBack, caught: ['sets back what was seen, until `read` grows or it is set again'] },
  { open: state.ForgetsCidsWithTheirContent, caught: ['knows retries and conflicts of what it has blanked'] },
  { open: state.IgnoresRetention, caught: ['reads nothing below `first`, which never goes back'] },
  { open: state.HasANewEpochEachTime, caught: ['has one epoch, other than that of another store'] },
  { open: state.HasOneEpochForAll, caught: ['has one epoch, other than that of another store'] },
  { open: state.PutsWithoutComparing, caught: ['changes a row only for who has seen its last version'] },
  { open: state.MakesASecondRowOfAPair, caught: ['has one row per pair, whichever way round'] },
  { open: state.SaysThatItIsDurable, caught: ['has everything after it was closed and opened again'] },
]
