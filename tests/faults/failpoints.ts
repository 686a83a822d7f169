/**
 * The places at which a server can be made to kill itself, with the most often that it may come by before it does.
 * Those of `writer` lie in the thread that holds the database.
 */
export const FAILPOINTS: Readonly<Record<string, number>> = {
  authenticate: 6,
  'append-before': 5,
  'append-posted': 5,
  'append-midway': 5,
  'append-after': 5,
  'ack-after': 5,
  'heads-before': 6,
  'heads-after': 6,
  'read-before': 3,
  'read-after': 3,
  'mark-before': 3,
  'mark-after': 3,
  'writer-opened': 1,
  'writer-begun': 5,
  'writer-inserted': 300,
  'writer-committing': 5,
  'writer-in-commit': 5,
  'writer-committed': 5,
}
