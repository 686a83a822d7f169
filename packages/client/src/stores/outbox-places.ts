/**
 * Where messages stand in the order in which a device has queued its own. Those of another device have no place yet:
 * they are put evenly between the one before them and whatever follows that, so that no two share a place and a second
 * reset, which may take some of them only, keeps their order.
 *
 * @param known the place of each message, ascending by seq, where it has one
 * @param before the place of the message in front of them; -1 for none
 * @param taken every place that there is
 * @param next the place that the next message of this device gets
 */
export function outboxPlaces(
  known: readonly (number | undefined)[],
  before: number,
  taken: Iterable<number>,
  next: number,
): number[] {
  const sorted = [...taken].sort((one, other) => one - other)
  const places: number[] = []
  let last = before
  for (let index = 0; index < known.length; ) {
    const place = known[index]
    if (place !== undefined) {
      last = place
      places.push(last)
      index++
      continue
    }
    const end = endOfGap(known, index)
    const step = ((sorted.find((other) => other > last) ?? next) - last) / (end - index + 1)
    for (; index < end; index++) {
      last += step
      places.push(last)
    }
  }
  return places
}

function endOfGap(known: readonly (number | undefined)[], start: number): number {
  const end = known.findIndex((place, index) => index > start && place !== undefined)
  return end < 0 ? known.length : end
}
