const clock = new Intl.DateTimeFormat(undefined, { hour: 'numeric', minute: '2-digit' })
const weekday = new Intl.DateTimeFormat(undefined, { weekday: 'long' })
const date = new Intl.DateTimeFormat(undefined, { day: 'numeric', month: 'long', year: 'numeric' })
const short = new Intl.DateTimeFormat(undefined, { day: 'numeric', month: 'short' })
const full = new Intl.DateTimeFormat(undefined, { dateStyle: 'full', timeStyle: 'medium' })

const DAY = 86_400_000
const midnight = (at: number) => new Date(at).setHours(0, 0, 0, 0)

export const isSameDay = (one: number, other: number): boolean => midnight(one) === midnight(other)

/** 14:05 */
export const clockOf = (at: number): string => clock.format(at)

/** Everything, for whoever asks. */
export const momentOf = (at: number): string => full.format(at)

/** Today, Yesterday, Tuesday, 3 May 2026 */
export function dayOf(at: number): string {
  const days = Math.round((midnight(Date.now()) - midnight(at)) / DAY)
  if (days === 0) return 'Today'
  if (days === 1) return 'Yesterday'
  return days > 1 && days < 7 ? weekday.format(at) : date.format(at)
}

/** For the end of a line in a list: 14:05, Yesterday, 3 May */
export function briefOf(at: number): string {
  if (isSameDay(at, Date.now())) return clockOf(at)
  return dayOf(at) === 'Yesterday' ? 'Yesterday' : short.format(at)
}
