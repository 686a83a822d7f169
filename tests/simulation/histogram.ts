/** Counts by fault, and then by what was going on. `all` is how often the fault hit. */
export type Histogram = Record<string, Record<string, number>>

/** Adds the counts of a run. */
export function addTo(total: Histogram, more: Histogram): void {
  for (const [fault, phases] of Object.entries(more)) {
    total[fault] ??= {}
    const cells = total[fault]
    for (const [phase, count] of Object.entries(phases)) cells[phase] = (cells[phase] ?? 0) + count
  }
}

/** How often anything hit. */
export const hits = (histogram: Histogram): number =>
  Object.values(histogram).reduce((sum, { all = 0 }) => sum + all, 0)

/** One line a fault, the most frequent first, one column a phase. */
export function table(histogram: Histogram): string[] {
  const sum = (phase: string) => Object.values(histogram).reduce((total, cells) => total + (cells[phase] ?? 0), 0)
  const phases = new Set(Object.values(histogram).flatMap((cells) => Object.keys(cells)))
  const columns = [...phases].sort((one, other) => sum(other) - sum(one))
  const width = (phase: string) => Math.max(phase.length, String(sum(phase)).length) + 2
  const line = (name: string, cell: (phase: string) => string | number) =>
    name.padEnd(22) + columns.map((phase) => String(cell(phase)).padStart(width(phase))).join('')
  const rows = Object.entries(histogram).sort(([, one], [, other]) => (other.all ?? 0) - (one.all ?? 0))
  return [line('', (phase) => phase), ...rows.map(([fault, cells]) => line(fault, (phase) => cells[phase] ?? 0))]
}
