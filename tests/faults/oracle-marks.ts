/** How far a user has got, as the store has it. */
export interface Mark {
  conversation: string
  user: string
  delivered: number
  read: number
}

/** How far another user has got, as a device was told. */
export interface Told {
  device: string
  conversation: string
  of: string
  delivered: number
  read: number
}

/** I10: marks only grow, read ≤ delivered ≤ head, and what was told is stored. */
export function judgeMarks(
  marks: readonly Mark[],
  told: readonly Told[],
  heads: ReadonlyMap<string, number>,
): string[] {
  const wrong: string[] = []
  const check = (what: string, { conversation, delivered, read }: Omit<Mark, 'user'>) => {
    const head = heads.get(conversation) ?? 0
    if (read > delivered || delivered > head)
      wrong.push(`I10 ${conversation}: ${what} has read ${read}, delivered ${delivered}, of ${head}`)
  }
  const stored = new Map(marks.map((mark) => [`${mark.conversation} ${mark.user}`, mark]))
  for (const mark of marks) check(`${mark.user} in the store`, mark)
  const last = new Map<string, Told>()
  for (const one of told) {
    const what = `${one.device} was told that ${one.of}`
    check(what, one)
    const key = `${one.device} ${one.conversation} ${one.of}`
    const before = last.get(key)
    last.set(key, one)
    if (before && goesBack(before, one)) wrong.push(`I10 ${one.conversation}: ${what} went back to ${place(one)}`)
    const kept = stored.get(`${one.conversation} ${one.of}`)
    if (!kept || goesBack(one, kept))
      wrong.push(`I10 ${one.conversation}: ${what} is at ${place(one)}, the store has ${kept && place(kept)}`)
  }
  return wrong
}

/** What went back between two looks at the store. */
export function judgeGrowth(
  before: { heads: ReadonlyMap<string, number>; marks: readonly Mark[] },
  after: { heads: ReadonlyMap<string, number>; marks: readonly Mark[] },
): string[] {
  const wrong: string[] = []
  for (const [conversation, head] of before.heads) {
    const now = after.heads.get(conversation) ?? 0
    if (now < head) wrong.push(`I1 ${conversation}: the head went back from ${head} to ${now}`)
  }
  for (const mark of before.marks) {
    const now = after.marks.find(({ conversation, user }) => conversation === mark.conversation && user === mark.user)
    if (!now || goesBack(mark, now))
      wrong.push(`I10 ${mark.conversation}: ${mark.user} went back from ${place(mark)} to ${now && place(now)}`)
  }
  return wrong
}

type Place = Pick<Mark, 'delivered' | 'read'>
const goesBack = (before: Place, after: Place) => after.delivered < before.delivered || after.read < before.read
const place = ({ delivered, read }: Place) => `${delivered}/${read}`
